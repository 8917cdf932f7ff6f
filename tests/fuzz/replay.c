/* Runs the files of the given directories through a fuzz target, so that a corpus is an ordinary test on every compiler. */
#include "base/file.h"
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 16 << 20 };

struct replay {
    const char *dir;
    size_t files;
};

static int replay_file(struct ctx *ctx, const char *name, void *arg)
{
    struct replay *r = arg;
    str path = arena_printf(ctx->arena, "%s/%s", r->dir, name), content;
    TRY(file_read_all(ctx, path.p, FILE_MAX, &content));
    printf("%s\n", name); /* the last line names the file that failed */
    fflush(stdout);
    LLVMFuzzerTestOneInput((const uint8_t *)content.p, content.n);
    r->files++;
    return RC_OK;
}

int main(int argc, char **argv)
{
    struct ctx ctx;
    struct replay r = {.files = 0};
    ctx_open(&ctx);
    for (int i = 1; i < argc; i++) {
        r.dir = argv[i];
        if (dir_each(&ctx, r.dir, replay_file, &r) != RC_OK) {
            fprintf(stderr, "%s: %s\n", r.dir, err_text(&ctx));
            return 1;
        }
    }
    ctx_close(&ctx);
    return r.files > 0 ? 0 : 1; /* an empty corpus is a mistake in the test list */
}
