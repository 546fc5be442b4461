/* A host in C: edits a picture with the shared library, and plays a host's mistakes.
 * embed MODEL PICTURE SKETCH RESULT SIDE STEPS: raw RGB files of SIDE x SIDE pixels. Prints one line for each finding. */
#include "framepainter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *read_file(const char *path, size_t bytes)
{
    uint8_t *data = malloc(bytes);
    FILE *file = fopen(path, "rb");
    if (!file || fread(data, 1, bytes, file) != bytes)
        exit(2);
    fclose(file);
    return data;
}

static void print_error(const char *what, int status)
{
    char message[512];
    fp_last_error(message, sizeof message);
    printf("%s %d %s\n", what, status, status == FP_OK ? "" : message);
}

struct host {
    fp_painter *painter;
    int calls, last_step, free_status, stop_at;
};

static int32_t on_progress(void *user, int32_t step, int32_t steps)
{
    struct host *host = user;
    (void)steps;
    host->calls++;
    host->last_step = step;
    host->free_status = fp_free(host->painter);
    return host->stop_at > 0 && step >= host->stop_at;
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    int side = atoi(argv[5]);
    size_t bytes = (size_t)side * side * 3;
    uint8_t *pixels = read_file(argv[2], bytes), *strokes = read_file(argv[3], bytes);
    printf("sizes %zu %zu %zu %zu %zu\n", sizeof(fp_load_options), sizeof(fp_image), sizeof(fp_drag), sizeof(fp_signal), sizeof(fp_edit_options));

    fp_load_options load = { .size = sizeof load, .model = "nowhere" };
    fp_painter *painter = NULL;
    print_error("missing", fp_load(&load, &painter));
    load.model = argv[1];
    print_error("load", fp_load(&load, &painter));

    fp_image picture = { pixels, side, side, 0, FP_RGB24 }, sketch = { strokes, side, side, 0, FP_RGB24 };
    uint8_t *made = malloc(bytes);
    fp_image result = { made, side, side, 0, FP_RGB24 };
    fp_signal signal = { .size = sizeof signal, .sketch = &sketch };
    struct host host = { .painter = painter };
    fp_edit_options options;
    fp_default_options(&options);
    options.steps = atoi(argv[6]);
    options.progress = on_progress;
    options.user = &host;
    print_error("edit", fp_edit(painter, &picture, &signal, &options, &result));
    printf("progress %d %d %d\n", host.calls, host.last_step, host.free_status);
    FILE *file = fopen(argv[4], "wb");
    if (!file || fwrite(made, 1, bytes, file) != bytes || fclose(file))
        return 2;

    host.stop_at = 2;
    memset(made, 7, bytes);
    print_error("stopped", fp_edit(painter, &picture, &signal, &options, &result));
    printf("untouched %d %d\n", made[0] == 7 && made[bytes - 1] == 7, host.last_step);
    options.steps = 0;
    print_error("option", fp_edit(painter, &picture, &signal, &options, &result));
    print_error("free", fp_free(painter));
    print_error("again", fp_free(painter));
    return 0;
}
