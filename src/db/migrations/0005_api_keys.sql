-- API keys can be told apart: what their makers call them, and the day of their last use.

ALTER TABLE api_key ADD COLUMN name TEXT NOT NULL DEFAULT '';
-- The beginning of the day, ms since 1970.
ALTER TABLE api_key ADD COLUMN last_used INTEGER;
