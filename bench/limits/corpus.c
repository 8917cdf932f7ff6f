/* The least that an export and an import of the corpus have to do, no generality: every file read, hashed with SHA-256,
 * compressed with igzip level 1 when it shrinks, appended to one file, one sync (pack); and back: read, inflated, hashed, written
 * to as many files, one sync (unpack). One thread. Duplicates count as often as they stand. usage: corpus pack DIR OUT | corpus
 * unpack IN DIR */
#include <dirent.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 32 << 20, NAME_MAX_BYTES = 4000 };
struct entry {
    uint32_t size, packed; /* packed == size: stored */
};
static uint8_t plain[FILE_MAX], packed[FILE_MAX + 4096], level[ISAL_DEF_LVL1_LARGE];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint32_t deflate_all(uint32_t n)
{
    static struct isal_zstream z;
    isal_deflate_stateless_init(&z);
    z.level = 1;
    z.level_buf = level;
    z.level_buf_size = sizeof level;
    z.end_of_stream = 1;
    z.next_in = plain;
    z.avail_in = n;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    return isal_deflate_stateless(&z) == COMP_OK && z.total_out < n ? z.total_out : n;
}

static void hash(const uint8_t *p, size_t n)
{
    struct sha256_ctx c;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&c);
    sha256_update(&c, n, p);
    sha256_digest(&c, sizeof digest, digest);
}

static void pack_file(const char *path, FILE *out)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, plain, sizeof plain);
    if (n < 0)
        die(path);
    close(fd);
    hash(plain, (size_t)n);
    struct entry e = {.size = (uint32_t)n};
    uint32_t probe = e.size < 65536 ? e.size : 65536;
    e.packed = deflate_all(probe) < probe ? deflate_all(e.size) : e.size;
    fwrite(&e, sizeof e, 1, out);
    fwrite(e.packed < e.size ? packed : plain, 1, e.packed, out);
}

static void pack_dir(const char *dir, FILE *out)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    if (!d)
        die(dir);
    while ((e = readdir(d))) {
        char path[NAME_MAX_BYTES];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_type == DT_DIR)
            pack_dir(path, out);
        else
            pack_file(path, out);
    }
    closedir(d);
}

static void unpack(FILE *in, const char *dir)
{
    struct entry e;
    for (unsigned k = 0; fread(&e, sizeof e, 1, in) == 1; k++) {
        uint8_t *bytes = e.packed < e.size ? packed : plain;
        if (fread(bytes, 1, e.packed, in) != e.packed)
            die("short");
        if (e.packed < e.size) {
            static struct inflate_state s;
            isal_inflate_init(&s);
            s.next_in = packed;
            s.avail_in = e.packed;
            s.next_out = plain;
            s.avail_out = e.size;
            if (isal_inflate(&s) != ISAL_DECOMP_OK)
                die("inflate");
        }
        hash(plain, e.size);
        char path[NAME_MAX_BYTES];
        snprintf(path, sizeof path, "%s/%02x", dir, k & 0xff);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/%02x/%u", dir, k & 0xff, k);
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
        if (fd < 0 || write(fd, plain, e.size) != (ssize_t)e.size)
            die(path);
        close(fd);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    if (strcmp(argv[1], "pack") == 0) {
        FILE *out = fopen(argv[3], "wb");
        if (!out)
            die(argv[3]);
        pack_dir(argv[2], out);
        if (fflush(out) || fsync(fileno(out)))
            die(argv[3]);
        return fclose(out) != 0;
    }
    FILE *in = fopen(argv[2], "rb");
    if (!in)
        die(argv[2]);
    mkdir(argv[3], 0700);
    unpack(in, argv[3]);
    int fd = open(argv[3], O_RDONLY);
    return syncfs(fd) != 0;
}
