/* FramePainter as a C library: edits a picture by a sketch, a coarse edit or drag points, on the processor.
 *
 * Every function may be called from any thread. Functions return a status; after one that is not FP_OK,
 * fp_last_error on the same thread says what went wrong and what to do. Strings are UTF-8 and end with a zero.
 * Nothing given to a function is kept after it returns.
 */
#ifndef FRAMEPAINTER_H
#define FRAMEPAINTER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function came to. */
typedef enum fp_status {
    FP_OK = 0,
    FP_ERROR_ARGUMENT = 1,   /* a pointer is NULL, or a struct's size or enumeration is not known */
    FP_ERROR_HANDLE = 2,     /* the painter was freed, or never loaded */
    FP_ERROR_CHECKPOINT = 3, /* the model is missing, damaged, incomplete or another */
    FP_ERROR_OPTION = 4,     /* an option is out of range */
    FP_ERROR_IMAGE = 5,      /* a picture cannot be used */
    FP_ERROR_SIGNAL = 6,     /* the signal does not fit the picture */
    FP_ERROR_MEMORY = 7,     /* there is not enough memory */
    FP_ERROR_DEVICE = 8,     /* the processor cannot be used */
    FP_CANCELLED = 9,        /* fp_cancel, fp_free or the progress callback ended the edit */
    FP_ERROR_BUSY = 10,      /* called from a progress callback, where it may not be */
    FP_ERROR_INTERNAL = 11   /* a fault of the library; please report it */
} fp_status;

/* How the bytes of a pixel follow each other; alpha is straight. */
typedef enum fp_format {
    FP_RGB24 = 0,
    FP_RGBA32 = 1,
    FP_BGR24 = 2,
    FP_BGRA32 = 3,
    FP_GRAY8 = 4
} fp_format;

/* Numbers in which products are computed. */
typedef enum fp_precision {
    FP_FLOAT32 = 0,
    FP_BFLOAT16 = 1
} fp_precision;

/* A loaded model. */
typedef struct fp_painter fp_painter;

/* What a painter is loaded with. Clear it, set size = sizeof(fp_load_options) and model. */
typedef struct fp_load_options {
    uint32_t size;
    int32_t threads;        /* 1 to 1024; 0 is one for each core */
    const char *model;      /* folder of stable-video-diffusion, or one that holds svd/ and framepainter/ */
    const char *checkpoint; /* folder of FramePainter's own files; NULL where model holds both */
    int32_t precision;      /* fp_precision */
    int32_t reserved;       /* 0 */
} fp_load_options;

/* A picture in memory, rows from top to bottom. */
typedef struct fp_image {
    uint8_t *pixels;
    int32_t width;
    int32_t height;
    int32_t stride; /* bytes from row to row; 0 where rows touch */
    int32_t format; /* fp_format */
} fp_image;

/* What was at the source goes to the target; in pixels of the picture, from its upper left corner. */
typedef struct fp_drag {
    float source_x, source_y, target_x, target_y;
} fp_drag;

/* What is to change: a sketch (white on black) or a coarse edit or neither, and drags or none. */
typedef struct fp_signal {
    uint32_t size;          /* sizeof(fp_signal) */
    int32_t drag_count;
    const fp_image *sketch;
    const fp_image *coarse;
    const fp_drag *drags;
} fp_signal;

/* Told of progress on the editing thread: stage by stage, and after each of the steps. Not 0 cancels the edit.
 * It may call fp_cancel and fp_last_error and nothing else. */
typedef int32_t (*fp_progress)(void *user, int32_t step, int32_t steps);

/* How the edit is made. fp_default_options fills in the original's figures. */
typedef struct fp_edit_options {
    uint32_t size;       /* sizeof(fp_edit_options) */
    int32_t steps;       /* 1 to 1000 */
    int64_t seed;
    float control_scale; /* 0 to 10 */
    float guidance;      /* 0 to 100 */
    fp_progress progress;
    void *user;
} fp_edit_options;

/* Loads a model: seconds for the real one. *painter is NULL after a failure. */
int32_t fp_load(const fp_load_options *options, fp_painter **painter);

/* Sets size and all defaults. */
int32_t fp_default_options(fp_edit_options *options);

/* Edits a picture into result, which has the picture's extents, and any format and stride; it may share the
 * picture's memory, and is written only where the edit succeeds. options may be NULL. Blocks: seconds to minutes. */
int32_t fp_edit(fp_painter *painter, const fp_image *picture, const fp_signal *signal, const fp_edit_options *options, fp_image *result);

/* Cancels the edits of a painter that run now; they return FP_CANCELLED. */
int32_t fp_cancel(fp_painter *painter);

/* Copies the message of the last failure on this thread, cut to capacity with its zero. Returns the whole length in bytes
 * without the zero; 0 where nothing failed yet. */
int32_t fp_last_error(char *buffer, int32_t capacity);

/* Cancels what runs, waits for it, and gives everything back. NULL does nothing; freeing twice is FP_ERROR_HANDLE. */
int32_t fp_free(fp_painter *painter);

#ifdef __cplusplus
}
#endif

#endif
