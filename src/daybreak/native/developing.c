/* `Gates`, the local part of daybreak's own smaller networks, compiled: what `methods/developing.py` does with
 * NumPy, row by row in one pass, from the picture's own numbers to numbers again.
 *
 * Pictures are H×W×3 in one piece, of levels (uint8, uint16), which `scale` brings to [0, 1], or of float32. Every
 * operation is IEEE's in single precision and none is contracted (hatch_build.py), so that every processor makes
 * the same of the same gates. What Python calls returns 0, or 1 where there is no memory.
 */
#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "floats are not computed as floats here"
#endif

#define CELL 8      /* px: gates are found at an eighth of the size */
#define GRID 16     /* px: what sides are continued to multiples of */
#define PIECE 65536 /* values whose sum a uint32 holds, if they are of 16 bits or fewer */

#if defined(_WIN32)
#define PUBLIC __declspec(dllexport)
#else
#define PUBLIC __attribute__((visibility("default")))
#endif

/* Code for more than one processor, where the linker can choose. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
#define MANY __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MANY
#endif

typedef ptrdiff_t Size;
enum { BYTES = 1, WORDS = 2, FLOATS = 4 }; /* a value's: the kind of a picture */

typedef struct {
    const char *data;
    Size kind;
    float scale;
    Size top, left;     /* of the window in the picture */
    Size rows, columns; /* of the window */
    Size height, width; /* of the picture */
} Window;

static inline Size least(Size one, Size other) { return one < other ? one : other; }
static inline Size most(Size one, Size other) { return one > other ? one : other; }
static inline Size up(Size length, Size multiple) { return (length + multiple - 1) / multiple * multiple; }

/* Where a place beyond the last lies, mirrored there and at the first. */
static Size mirrored(Size place, Size length)
{
    if (length == 1)
        return 0;
    place %= 2 * (length - 1);
    return place < length ? place : 2 * (length - 1) - place;
}

/* A side of a window, continued: to the grid where the picture ends, to whole cells elsewhere. */
static Size continued(Size first, Size length, Size whole, Size cell)
{
    return first + length == whole ? up(whole, GRID) - first : up(length, cell);
}

#define SPLIT(type)                                                      \
    for (Size x = 0; x < columns; x++) {                                 \
        red[x] = (float)((const type *)data)[3 * x] * scale;             \
        green[x] = (float)((const type *)data)[3 * x + 1] * scale;       \
        blue[x] = (float)((const type *)data)[3 * x + 2] * scale;        \
    }

/* A row of the window as three of floats, continued to `width`; a row beyond the last is mirrored. */
MANY static void read_row(const Window *w, Size row, Size width, float *restrict red, float *restrict green,
                          float *restrict blue)
{
    const char *data = w->data + mirrored(row, w->rows) * w->columns * 3 * w->kind;
    const float scale = w->scale;
    const Size columns = w->columns;
    if (w->kind == BYTES)
        SPLIT(uint8_t)
    else if (w->kind == WORDS)
        SPLIT(uint16_t)
    else
        SPLIT(float) /* whose scale is 1 */
    for (Size x = columns; x < width; x++) {
        const Size from = mirrored(x, columns);
        red[x] = red[from];
        green[x] = green[from];
        blue[x] = blue[from];
    }
}

/* Means of `side` columns of a sum of rows. */
MANY static void means(const float *restrict sum, Size count, Size side, float share, float *restrict out)
{
    for (Size j = 0; j < count; j++) {
        float total = sum[side * j];
        for (Size k = 1; k < side; k++)
            total += sum[side * j + k];
        out[j] = total * share;
    }
}

MANY static void grayed(const float *restrict red, const float *restrict green, const float *restrict blue,
                        Size width, float *restrict gray)
{
    const float third = 1.0f / 3.0f;
    for (Size x = 0; x < width; x++)
        gray[x] = red[x] * third + green[x] * third + blue[x] * third;
}

MANY static void add(float *restrict sum, const float *restrict row, Size width)
{
    for (Size x = 0; x < width; x++)
        sum[x] += row[x];
}

/* The means at the last row of a cell, and a new sum. */
static void finish(float *sum, Size width, Size y, Size side, float *out)
{
    if (y % side == side - 1) {
        means(sum, width / side, side, 1.0f / (float)(side * side), out);
        memset(sum, 0, sizeof(float) * (size_t)width);
    }
}

/* One of the rows of which means of side×side pixels are made, and the means at the last of them. */
static void gather(float *sum, const float *row, Size width, Size y, Size side, float *out)
{
    add(sum, row, width);
    finish(sum, width, y, side, out);
}

MANY static void add_distance(float *restrict sum, const float *restrict row, const float *restrict above,
                              const float *restrict below, float share, Size width)
{
    for (Size x = 0; x < width; x++) {
        const float away = row[x] - (above[x] + share * (below[x] - above[x]));
        sum[x] += away < 0.0f ? -away : away;
    }
}

/* A row 2, 4 or 8 times as wide, bilinear between the centres; `count` of `all` columns from `first`. */
MANY static void widened2(const float *restrict row, Size count, float *restrict out)
{
    for (Size j = 0; j < count; j++) {
        const float at = row[j];
        out[2 * j] = at + (row[most(j - 1, 0)] - at) * 0.25f;
        out[2 * j + 1] = at + (row[least(j + 1, count - 1)] - at) * 0.25f;
    }
}

MANY static void widened4(const float *restrict row, Size count, float *restrict out)
{
    for (Size j = 0; j < count; j++) {
        const float at = row[j], fall = row[most(j - 1, 0)] - at, rise = row[least(j + 1, count - 1)] - at;
        out[4 * j] = at + fall * 0.375f;
        out[4 * j + 1] = at + fall * 0.125f;
        out[4 * j + 2] = at + rise * 0.125f;
        out[4 * j + 3] = at + rise * 0.375f;
    }
}

MANY static void widened8(const float *restrict row, Size first, Size count, Size all, float *restrict out)
{
    for (Size j = 0; j < count; j++) {
        const Size own = least(first + j, all - 1);
        const float at = row[own], fall = row[most(least(first + j - 1, all - 1), 0)] - at,
                    rise = row[least(first + j + 1, all - 1)] - at;
        for (int k = 0; k < 4; k++) {
            out[8 * j + k] = at + fall * ((3.5f - k) / 8.0f);
            out[8 * j + 4 + k] = at + rise * ((k + 0.5f) / 8.0f);
        }
    }
}

/* What passes the gates, on its curve. Rows above and below, and how far between them: means of 4×4 px and what
 * takes their place, and the gates. */
MANY static void composed(float *restrict red, float *restrict green, float *restrict blue, Size width,
                          const float *restrict smooth, const float *restrict smoother, float s,
                          const float *restrict gates, const float *restrict gates_below, float g, Size apart)
{
    const float *red_above = smooth, *green_above = smooth + apart, *blue_above = smooth + 2 * apart;
    const float *red_below = smoother, *green_below = smoother + apart, *blue_below = smoother + 2 * apart;
    const float *red_even = smooth + 3 * apart, *green_even = smooth + 4 * apart, *blue_even = smooth + 5 * apart;
    const float *red_evener = smoother + 3 * apart, *green_evener = smoother + 4 * apart,
                *blue_evener = smoother + 5 * apart;
    const float *color_above = gates, *more_above = gates + apart, *flat_above = gates + 2 * apart;
    const float *color_below = gates_below, *more_below = gates_below + apart, *flat_below = gates_below + 2 * apart;
    for (Size x = 0; x < width; x++) {
        const float fine_r = red[x] - (red_above[x] + s * (red_below[x] - red_above[x]));
        const float fine_n = green[x] - (green_above[x] + s * (green_below[x] - green_above[x]));
        const float fine_b = blue[x] - (blue_above[x] + s * (blue_below[x] - blue_above[x]));
        float r = red_even[x] + s * (red_evener[x] - red_even[x]);
        float n = green_even[x] + s * (green_evener[x] - green_even[x]);
        float b = blue_even[x] + s * (blue_evener[x] - blue_even[x]);
        const float color = color_above[x] + g * (color_below[x] - color_above[x]);
        const float more = more_above[x] + g * (more_below[x] - more_above[x]);
        const float flat = flat_above[x] + g * (flat_below[x] - flat_above[x]);
        const float gray = (fine_r + fine_n + fine_b) * more;
        r += color * fine_r + gray;
        n += color * fine_n + gray;
        b += color * fine_b + gray;
        r = r > 0.0f ? r : 0.0f;
        n = n > 0.0f ? n : 0.0f;
        b = b > 0.0f ? b : 0.0f;
        r = r < 1.0f ? r : 1.0f;
        n = n < 1.0f ? n : 1.0f;
        b = b < 1.0f ? b : 1.0f;
        /* kx / (1 + (k - 1)y), y = x + V²(V - x) */
        float brightest = r > n ? r : n;
        brightest = brightest > b ? brightest : b;
        const float steep = 1.0f - flat, square = brightest * brightest * steep;
        const float slope = steep - square, base = brightest * square + flat;
        red[x] = r / (r * slope + base);
        green[x] = n / (n * slope + base);
        blue[x] = b / (b * slope + base);
    }
}

/* Two rows of few columns made wide, one above and one below what is asked for. */
typedef struct {
    float *above, *below;
    Size known; /* the index of the upper one */
} Pair;

typedef void Widen(const void *from, Size row, float *out);

#define UNKNOWN (-2 - CELL) /* no row's index, nor that before one's */

/* The share of the lower row at row `y` of a picture `times` as tall. */
static float turn(Pair *pair, Size y, Size times, Widen *widen, const void *from)
{
    const Size past = y + times - times / 2, index = past / times - 1;
    if (index != pair->known) {
        float *upper = pair->above;
        if (index == pair->known + 1) {
            pair->above = pair->below;
            pair->below = upper;
        } else
            widen(from, index, pair->above);
        widen(from, index + 1, pair->below);
        pair->known = index;
    }
    return ((float)(past % times) + 0.5f) / (float)times;
}

/* Planes of means, 2 or 4 times as small as what they are brought up to, in rows that begin with `first`. */
typedef struct {
    const float *data;
    Size planes, rows, columns, first;
} Means;

static const float *row_of(const Means *m, Size plane, Size row)
{
    const Size own = least(most(row - m->first, 0), m->rows - 1);
    return m->data + (plane * m->rows + own) * m->columns;
}

static void widen_twice(const void *from, Size row, float *out)
{
    const Means *m = from;
    for (Size plane = 0; plane < m->planes; plane++)
        widened2(row_of(m, plane, row), m->columns, out + plane * 2 * m->columns);
}

static void widen_quarters(const void *from, Size row, float *out)
{
    const Means *m = from;
    for (Size plane = 0; plane < m->planes; plane++)
        widened4(row_of(m, plane, row), m->columns, out + plane * 4 * m->columns);
}

/* The gates: 8 planes at an eighth of the size of the whole picture, and the columns that are looked at. Of what
 * is finer than 4 px the share of its colour, a third of that by which more of its gray passes, and one over the
 * slope at black; of what is finer than 8 px and than 16 px, the first two; how many times as colourful all that is
 * coarser than 8 px becomes. */
typedef struct {
    const float *data;
    Size rows, columns, first, count;
} Gates;

enum { FINE = 0, MIDDLE = 3, WIDE = 5, TONE = 7 }; /* their first planes */

static const float *gate(const Gates *g, Size plane, Size row)
{
    return g->data + (plane * g->rows + least(most(row, 0), g->rows - 1)) * g->columns;
}

static void widen_fine(const void *from, Size row, float *out)
{
    const Gates *g = from;
    for (Size plane = 0; plane < 3; plane++)
        widened8(gate(g, FINE + plane, row), g->first, g->count, g->columns, out + plane * CELL * g->count);
}

static void widen_middle(const void *from, Size row, float *out)
{
    const Gates *g = from;
    for (Size plane = 0; plane < 2; plane++)
        widened2(gate(g, MIDDLE + plane, row) + g->first, g->count, out + plane * 2 * g->count);
}

/* Means of 2×2 of 3 planes of 2·rows×2·columns. */
MANY static void halved(const float *restrict from, Size rows, Size columns, float *restrict out)
{
    for (Size y = 0; y < 3 * rows; y++) {
        const float *one = from + 4 * y * columns, *other = one + 2 * columns;
        for (Size x = 0; x < columns; x++)
            out[y * columns + x] = (one[2 * x] + other[2 * x] + one[2 * x + 1] + other[2 * x + 1]) * 0.25f;
    }
}

/* What is finer than some means, through its gates: `at` is the picture, `upper` and `lower` the means' rows above
 * and below, `even` those of what takes their place; 3 planes `apart` floats apart, `out` and `at` `plane`. */
MANY static void evened_row(const float *restrict at, Size plane, const float *restrict upper, const float *restrict lower,
                            const float *restrict even, const float *restrict evener, float s, Size apart,
                            const float *restrict color, const float *restrict more, Size width,
                            float *restrict out)
{
    for (Size x = 0; x < width; x++) {
        float off[3], to[3];
        for (int k = 0; k < 3; k++) {
            const Size j = k * apart + x;
            off[k] = at[k * plane + x] - (upper[j] + s * (lower[j] - upper[j]));
            to[k] = even[j] + s * (evener[j] - even[j]);
        }
        const float gray = (off[0] + off[1] + off[2]) * more[x];
        for (int k = 0; k < 3; k++)
            out[k * plane + x] = to[k] + (color[x] * off[k] + gray);
    }
}

/* A row of 3 planes `plane` floats apart, as colourful as its tones say. */
MANY static void toned_row(float *row, Size plane, const float *restrict tone, Size width)
{
    const float third = 1.0f / 3.0f;
    float *red = row, *green = row + plane, *blue = row + 2 * plane;
    for (Size x = 0; x < width; x++) {
        const float gray = (1.0f - tone[x]) * ((red[x] + green[x] + blue[x]) * third);
        red[x] = tone[x] * red[x] + gray;
        green[x] = tone[x] * green[x] + gray;
        blue[x] = tone[x] * blue[x] + gray;
    }
}

MANY static void mixed_row(const float *restrict upper, const float *restrict lower, float s, Size width,
                           float *restrict out)
{
    for (Size x = 0; x < width; x++)
        out[x] = upper[x] + s * (lower[x] - upper[x]);
}

/* What is between 4 and 16 px through its gates, and all that is coarser than 8 px in its tone: 3 planes of means of
 * 4×4 px to the 3 after them.
 *
 * rows, columns: of a plane, multiples of 4; `first`, its first row's place, too.
 */
static int evened(float *coarse, Size rows, Size columns, Size first, const Gates *gates)
{
    const Size tall = rows / 2, wide = columns / 2, cells = tall * wide;
    float *room = malloc(sizeof(float) * (size_t)(6 * cells + 3 * cells / 4 + 6 * wide + 18 * columns));
    if (!room)
        return 1;
    float *level = room, *even = level + 3 * cells, *around = even + 3 * cells, *rest = around + 3 * cells / 4;
    Pair far = {rest, rest + 3 * wide, UNKNOWN};
    rest += 6 * wide;
    Pair near = {rest, rest + 3 * columns, UNKNOWN};
    Pair nearer = {rest + 6 * columns, rest + 9 * columns, UNKNOWN};
    Pair passing = {rest + 12 * columns, rest + 14 * columns, UNKNOWN};
    float *color = rest + 16 * columns;
    const Means arounds = {around, 3, tall / 2, wide / 2, 0};
    const Means levels = {level, 3, tall, wide, 0}, evens = {even, 3, tall, wide, 0};

    halved(coarse, tall, wide, level);
    halved(level, tall / 2, wide / 2, around);
    for (Size y = 0; y < tall; y++) {
        const float share = turn(&far, y, 2, widen_twice, &arounds);
        evened_row(level + y * wide, cells, far.above, far.below, far.above, far.below, share, wide,
                   gate(gates, WIDE, first / 2 + y) + gates->first, gate(gates, WIDE + 1, first / 2 + y) + gates->first,
                   wide, even + y * wide);
        toned_row(even + y * wide, cells, gate(gates, TONE, first / 2 + y) + gates->first, wide);
    }
    for (Size y = 0; y < rows; y++) {
        const float share = turn(&near, y, 2, widen_twice, &levels);
        turn(&nearer, y, 2, widen_twice, &evens);
        const float own = turn(&passing, first + y, 2, widen_middle, gates);
        mixed_row(passing.above, passing.below, own, 2 * columns, color);
        evened_row(coarse + y * columns, rows * columns, near.above, near.below, nearer.above, nearer.below, share,
                   columns, color, color + columns, columns, coarse + (3 * rows + y) * columns);
    }
    free(room);
    return 0;
}

/* What the gates are decided by, for the cells of some rows of the picture: means of 8×8 pixels of each colour,
 * and how rough they are.
 *
 * top, bottom: multiples of 8. The window has 8 rows more on both sides, or ends where the picture does.
 * out: 4 planes `plane` floats apart; its first value is that of the first cell at `top`.
 */
PUBLIC int daybreak_seen(const Window *w, Size top, Size bottom, float *out, Size plane)
{
    const Size width = continued(w->left, w->columns, w->width, CELL), cells = width / CELL;
    const Size end = w->top + continued(w->top, w->rows, w->height, CELL);
    const Size from = most(top - CELL, w->top), to = least(bottom + CELL, end);
    Means quarters = {NULL, 1, (to - from) / 4, width / 4, from / 4};
    float *room = malloc(sizeof(float) * (size_t)(11 * width + quarters.rows * quarters.columns));
    if (!room)
        return 1;
    float *red = room, *green = red + width, *blue = green + width, *gray = blue + width;
    float *sums = gray + width, *four = sums + 3 * width, *rough = four + width, *coarse = rough + 3 * width;
    Pair pair = {rough + width, rough + 2 * width, UNKNOWN};
    quarters.data = coarse;
    memset(sums, 0, sizeof(float) * (size_t)(5 * width)); /* those of four rows and of the roughness too */

    for (Size y = from; y < to; y++) {
        read_row(w, y - w->top, width, red, green, blue);
        grayed(red, green, blue, width, gray);
        gather(four, gray, width, y, 4, coarse + (y - from) / 4 * quarters.columns);
        if (y < top || y >= bottom)
            continue;
        for (int color = 0; color < 3; color++)
            gather(sums + color * width, room + color * width, width, y, CELL,
                   out + color * plane + (y - top) / CELL * cells);
    }
    for (Size y = top; y < bottom; y++) {
        const float share = turn(&pair, y, 4, widen_quarters, &quarters);
        read_row(w, y - w->top, width, red, green, blue);
        grayed(red, green, blue, width, gray);
        add_distance(rough, gray, pair.above, pair.below, share, width);
        finish(rough, width, y, CELL, out + 3 * plane + (y - top) / CELL * cells);
    }
    free(room);
    return 0;
}

#define JOIN(type, peak)                                                 \
    for (Size x = 0; x < width; x++) {                                   \
        type *to = (type *)data + 3 * x;                                 \
        r += to[0] = (type)(int)(red[x] * (peak) + nearest - nearest);   \
        n += to[1] = (type)(int)(green[x] * (peak) + nearest - nearest); \
        b += to[2] = (type)(int)(blue[x] * (peak) + nearest - nearest);  \
    }

/* As levels, or floats at most 1; at most PIECE of them. */
MANY static void write_row(const float *restrict red, const float *restrict green, const float *restrict blue,
                           Size width, char *data, Size kind, uint64_t *sums)
{
    const float nearest = 12582912.0f; /* 1.5 · 2²³: a float that it was added to is a whole number, the nearest */
    uint32_t r = 0, n = 0, b = 0;
    if (kind == BYTES)
        JOIN(uint8_t, 255.0f)
    else if (kind == WORDS)
        JOIN(uint16_t, 65535.0f)
    else {
        float *to = (float *)data;
        for (Size x = 0; x < width; x++) {
            to[3 * x] = red[x] < 1.0f ? red[x] : 1.0f; /* above by rounding alone */
            to[3 * x + 1] = green[x] < 1.0f ? green[x] : 1.0f;
            to[3 * x + 2] = blue[x] < 1.0f ? blue[x] : 1.0f;
        }
    }
    sums[0] += r;
    sums[1] += n;
    sums[2] += b;
}

/* The result of some rows of the picture, in all columns of the window.
 *
 * maps: the gates, 8 planes of rows×columns at an eighth of the size of the picture, continued to the grid.
 * top, bottom: the window has all of the grid's cells they are in and one more on both sides, or ends where the
 *     picture does.
 * out: as much of the picture, of values of `kind`.
 * sums: of the levels of each colour, added to.
 */
PUBLIC int daybreak_developed(const Window *w, const float *maps, Size rows, Size columns, Size top, Size bottom,
                              char *out, Size kind, uint64_t *sums)
{
    const Size width = continued(w->left, w->columns, w->width, GRID);
    const Size end = w->top + continued(w->top, w->rows, w->height, GRID);
    const Size from = most(top / GRID * GRID - GRID, w->top), to = least(up(bottom, GRID) + GRID, end);
    const Gates gates = {maps, rows, columns, w->left / CELL, width / CELL};
    Means quarters = {NULL, 6, (to - from) / 4, width / 4, from / 4}; /* and what takes their place */
    const Size plane = quarters.rows * quarters.columns;
    float *room = malloc(sizeof(float) * (size_t)(24 * width + 6 * plane));
    if (!room)
        return 1;
    float *red = room, *green = red + width, *blue = green + width, *sums4 = blue + width;
    float *coarse = room + 24 * width;
    Pair smooth = {room + 6 * width, room + 12 * width, UNKNOWN};
    Pair passing = {room + 18 * width, room + 21 * width, UNKNOWN};
    quarters.data = coarse;
    memset(sums4, 0, sizeof(float) * (size_t)(3 * width));

    for (Size y = from; y < to; y++) {
        read_row(w, y - w->top, width, red, green, blue);
        for (int color = 0; color < 3; color++)
            gather(sums4 + color * width, room + color * width, width, y, 4,
                   coarse + color * plane + (y - from) / 4 * quarters.columns);
    }
    if (evened(coarse, quarters.rows, quarters.columns, from / 4, &gates)) {
        free(room);
        return 1;
    }
    for (Size y = top; y < bottom; y++) {
        const float near = turn(&smooth, y, 4, widen_quarters, &quarters);
        const float far = turn(&passing, y, CELL, widen_fine, &gates);
        read_row(w, y - w->top, width, red, green, blue);
        composed(red, green, blue, w->columns, smooth.above, smooth.below, near, passing.above, passing.below, far,
                 width);
        for (Size x = 0; x < w->columns; x += PIECE)
            write_row(red + x, green + x, blue + x, least(PIECE, w->columns - x),
                      out + ((y - top) * w->columns + x) * 3 * kind, kind, sums);
    }
    free(room);
    return 0;
}

/* SHA-256 of this file, as it was compiled. */
PUBLIC const char *daybreak_source(void) { return SOURCE; }
