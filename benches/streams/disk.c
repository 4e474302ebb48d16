/* A disk that can be made slow, ill or absent: shows a folder, read-only, through FUSE.
 *
 *   disk FOLDER CONTROL MOUNTPOINT -f
 *
 * The file CONTROL says how the disk is: "well", "slow MILLISECONDS" (each read takes so long),
 * "hang" (nothing returns) or "fail" (everything is EIO).
 */
#define FUSE_USE_VERSION 31
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder, *control;

static const char *below(char *path, const char *name)
{
    snprintf(path, PATH_MAX, "%s%s", folder, name);
    return path;
}

/* Waits as the disk makes one wait; an error is what it answers with. */
static int disk(int is_read)
{
    for (;;) {
        char state[32] = "";
        int file = open(control, O_RDONLY);
        if (file >= 0) {
            if (read(file, state, sizeof state - 1) < 0)
                state[0] = 0;
            close(file);
        }
        if (strncmp(state, "fail", 4) == 0)
            return -EIO;
        if (strncmp(state, "hang", 4) != 0) {
            if (is_read && strncmp(state, "slow ", 5) == 0)
                usleep(1000 * atoi(state + 5));
            return 0;
        }
        usleep(10000);
    }
}

static int look(const char *name, struct stat *stat, struct fuse_file_info *file)
{
    char path[PATH_MAX];
    int failed = disk(0);
    if (failed)
        return failed;
    int result = file ? fstat((int)file->fh, stat) : lstat(below(path, name), stat);
    return result < 0 ? -errno : 0;
}

static int open_file(const char *name, struct fuse_file_info *file)
{
    char path[PATH_MAX];
    int failed = disk(0);
    if (failed)
        return failed;
    int opened = open(below(path, name), O_RDONLY);
    if (opened < 0)
        return -errno;
    file->fh = (uint64_t)opened;
    return 0;
}

static int read_file(const char *name, char *bytes, size_t count, off_t offset,
                     struct fuse_file_info *file)
{
    (void)name;
    int failed = disk(1);
    if (failed)
        return failed;
    ssize_t done = pread((int)file->fh, bytes, count, offset);
    return done < 0 ? -errno : (int)done;
}

static int close_file(const char *name, struct fuse_file_info *file)
{
    (void)name;
    close((int)file->fh);
    return 0;
}

static int list(const char *name, void *names, fuse_fill_dir_t fill, off_t offset,
                struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
    char path[PATH_MAX];
    (void)offset, (void)file, (void)flags;
    int failed = disk(0);
    if (failed)
        return failed;
    DIR *entries = opendir(below(path, name));
    if (!entries)
        return -errno;
    for (struct dirent *entry; (entry = readdir(entries));)
        fill(names, entry->d_name, NULL, 0, 0);
    closedir(entries);
    return 0;
}

/* Nothing is kept: every question reaches the disk. Files keep their inode numbers. */
static void *begin(struct fuse_conn_info *connection, struct fuse_config *config)
{
    (void)connection;
    config->use_ino = 1;
    config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
    return NULL;
}

static const struct fuse_operations operations = {
    .init = begin,
    .getattr = look,
    .open = open_file,
    .read = read_file,
    .release = close_file,
    .readdir = list,
};

int main(int count, char **words)
{
    if (count < 4) {
        fprintf(stderr, "disk FOLDER CONTROL MOUNTPOINT -f\n");
        return 2;
    }
    folder = words[1];
    control = words[2];
    words[2] = words[0];
    return fuse_main(count - 2, words + 2, &operations, NULL);
}
