//@ head
/* A network of @layers@, trained by bpnet.
 *
 * Fill a `@prefix@_row` with the values of one row of the table, and call
 * `@prefix@_predict`. It returns 0 and the outputs; or the number, from 1, of the first
 * column whose value is missing or wrong, and no outputs.
 *
 * C99. Computes in @real@.@trained@ No memory is allocated, and all data are constant.
 * With -DBPNET_MAIN, this file is a program that reads rows of values separated by tabs.
 */
#include <math.h>
#include <stddef.h>

#define @PREFIX@_INPUTS @inputs@
#define @PREFIX@_OUTPUTS @outputs@
//@ row
/* One row of the table, in its units. Missing is NAN, or NULL for a text. */
typedef struct {
@fields@
} @prefix@_row;

int @prefix@_predict(const @prefix@_row *row, @real@ outputs[@PREFIX@_OUTPUTS]);

extern const char *const @prefix@_output_names[@PREFIX@_OUTPUTS];

const char *const @prefix@_output_names[@PREFIX@_OUTPUTS] = {
@names@};
//@ number
/* A number, or `fill` where it is missing. Returns 0 if it can be used. */
static int number(@real@ value, @real@ fill, @real@ *x)
{
    *x = isnan(value) ? fill : value;
    return isfinite(*x) ? 0 : 1;
}
//@ boolean
/* 1 or 0, or `fill` where it is missing. Returns 0 if it can be used. */
static int boolean(@real@ value, @real@ fill, @real@ *x)
{
    *x = isnan(value) ? fill : value;
    return ((*x == 0) || (*x == 1)) ? 0 : 1;
}
//@ date
/* The days since 1970-01-01 at 00:00 of a date; add hours / 24.0 for a time. */
double @prefix@_days(int year, int month, int day);

double @prefix@_days(int year, int month, int day)
{
    const double years = year - ((month <= 2) ? 1 : 0); /* that begin in March */
    const int months = (month + 9) % 12;

    return (365.0 * years) + floor(years / 4.0) - floor(years / 100.0) + floor(years / 400.0)
        + floor(((153.0 * months) + 2.0) / 5.0) + day - 719469.0;
}

/* A date, or `fill` where it is missing. Returns 0 if it can be used. */
static int date(double value, double fill, double *days)
{
    *days = isnan(value) ? fill : value;
    return isfinite(*days) ? 0 : 1;
}
//@ waves
/* The sine and cosine of a number of turns. */
static void waves(double turns, @real@ x[2])
{
    const double angle = 6.283185307179586 * turns;

    x[0] = (@real@)sin(angle);
    x[1] = (@real@)cos(angle);
}
//@ category
/* A known text and its category, -1 for a missing value. If it folds, case is ignored. */
typedef struct {
    const char *text;
    int folds;
    int category;
} known_text;

enum { MISSING = -1, UNKNOWN = -2 };

static int is_space(char c)
{
    return ((c == ' ') || ((c >= '\t') && (c <= '\r'))) ? 1 : 0;
}

static char small(char c)
{
    return ((c >= 'A') && (c <= 'Z')) ? (char)(c - 'A' + 'a') : c;
}

/* Whether a text is a known one, without the spaces around it. */
static int is_same(const char *text, const known_text *known)
{
    const char *expected = known->text;

    while (is_space(*text) != 0) {
        text++;
    }
    while (*expected != '\0') {
        if ((known->folds != 0) && (*expected == ' ') && (is_space(*text) != 0)) {
            while (is_space(*text) != 0) {
                text++;
            }
        } else if (((known->folds != 0) ? small(*text) : *text) == *expected) {
            text++;
        } else {
            return 0;
        }
        expected++;
    }
    while (is_space(*text) != 0) {
        text++;
    }
    return (*text == '\0') ? 1 : 0;
}

static int category_of(const char *text, size_t count, const known_text known[])
{
    for (size_t i = 0; (text != NULL) && (i < count); i++) {
        if (is_same(text, &known[i]) != 0) {
            return known[i].category;
        }
    }
    return (text == NULL) ? MISSING : UNKNOWN;
}

/* 1 for a category, 0 for others; `fill` where it is missing. Returns 0 if it can be used. */
static int one_hot(int category, int fill, int count, @real@ x[])
{
    const int known = (category == MISSING) ? fill : category;

    for (int i = 0; i < count; i++) {
        x[i] = (@real@)((i == known) ? 1 : 0);
    }
    return (known == MISSING) ? 1 : 0;
}
//@ hour
/* The fraction of the day. */
static double hour_turns(double days)
{
    return days - floor(days);
}
//@ weekday
/* The fraction of the week; 1970 began on a Thursday. */
static double weekday_turns(double days)
{
    const double day = floor(days) + 3.0;

    return (day - (7.0 * floor(day / 7.0))) / 7.0;
}
//@ month
/* The fraction of the year, by the month. */
static double month_turns(double days)
{
    const double since_0000 = floor(days) + 719468.0; /* from the first of March */
    const double day = since_0000 - (146097.0 * floor(since_0000 / 146097.0)); /* in 400 years */
    const double year = floor(
        (day - floor(day / 1460.0) + floor(day / 36524.0) - floor(day / 146096.0)) / 365.0);
    const double of_year = day - ((365.0 * year) + floor(year / 4.0) - floor(year / 100.0));
    const double from_march = floor(((5.0 * of_year) + 2.0) / 153.0);

    return ((from_march < 10.0) ? (from_march + 2.0) : (from_march - 10.0)) / 12.0;
}
//@ encode
/* The inputs of the network. Returns 0, or the number of the first column that is wrong. */
static int encode(const @prefix@_row *row, @real@ x[@PREFIX@_INPUTS])
{
@body@    return 0;
}
//@ affine
/* z = W x + b, with the rows of W one after the other. */
static void affine(size_t rows, size_t columns, const @real@ W[], const @real@ b[],
                   const @real@ x[], @real@ z[])
{
    for (size_t i = 0; i < rows; i++) {
        z[i] = b[i];
        for (size_t j = 0; j < columns; j++) {
            z[i] += W[(i * columns) + j] * x[j];
        }
    }
}
//@ layer
/* @layer@ */
static void layer_@k@(const @real@ x[@columns@], @real@ a[@units@])
{
    @real@ z[@rows@];

    affine(@rows@, @columns@, W@k@, b@k@, x, z);
@body@}
//@ predict
int @prefix@_predict(const @prefix@_row *row, @real@ outputs[@PREFIX@_OUTPUTS])
{
@arrays@
    const int refused = encode(row, a0);

    if (refused != 0) {
        return refused;
    }
@body@    return 0;
}
//@ intervals
@half_widths@

/* The ends of the intervals of outputs that @prefix@_predict has returned. Each contains its
 * target with a probability of at least @level@, for rows from the same source as those on
 * which it was calibrated. */
void @prefix@_intervals(const @real@ outputs[@PREFIX@_OUTPUTS], @real@ low[@PREFIX@_OUTPUTS],
                        @real@ high[@PREFIX@_OUTPUTS]);

void @prefix@_intervals(const @real@ outputs[@PREFIX@_OUTPUTS], @real@ low[@PREFIX@_OUTPUTS],
                        @real@ high[@PREFIX@_OUTPUTS])
{
    for (size_t i = 0; i < (size_t)@PREFIX@_OUTPUTS; i++) {
        low[i] = outputs[i] - half_widths[i];
        high[i] = outputs[i] + half_widths[i];
    }
}
//@ class
extern const char *const @prefix@_class_names[@count@];

const char *const @prefix@_class_names[@count@] = {
@names@};

/* The index of the predicted class. */
int @prefix@_class(const @real@ outputs[@PREFIX@_OUTPUTS]);

int @prefix@_class(const @real@ outputs[@PREFIX@_OUTPUTS])
{
@decide@}
//@ largest
    int largest = 0;

    for (int i = 1; i < @PREFIX@_OUTPUTS; i++) {
        if (outputs[i] > outputs[largest]) {
            largest = i;
        }
    }
    return largest;
//@ at_least_half
    return (outputs[0] >= @half@) ? 1 : 0;
//@ labels
extern const char *const @prefix@_label_names[@count@];

const char *const @prefix@_label_names[@count@] = {
@names@};

static const char *const words_of_labels[@count@][2] = {
@pairs@};

/* The predicted word of a label. */
const char *@prefix@_label(const @real@ outputs[@PREFIX@_OUTPUTS], int label);

const char *@prefix@_label(const @real@ outputs[@PREFIX@_OUTPUTS], int label)
{
    return words_of_labels[label][(outputs[label] >= @half@) ? 1 : 0];
}
//@ main
#ifdef BPNET_MAIN
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each line of the input has the @count@ values of a row, separated by tabs; a missing one is
 * empty. Each line of the output has the outputs@printed@. In texts, \\t, \\n, \\r and
 * \\\\ are a tab, a new line, a return and a backslash. */

static char line[@longest@];

/* The value at *rest, without escapes; *rest moves to the next, and is NULL at the end. */
static char *field(char **rest)
{
    static const char letters[] = "tnr";
    static const char characters[] = "\t\n\r";
    char *const start = *rest;
    char *const end = (start == NULL) ? NULL : strchr(start, '\t');
    char *to = start;

    if (start == NULL) {
        return NULL;
    }
    if (end != NULL) {
        *end = '\0';
    }
    for (const char *from = start; *from != '\0'; from++) {
        if ((*from == '\\') && (from[1] != '\0')) {
            const char *const letter = strchr(letters, from[1]);
            from++;
            *to++ = (letter == NULL) ? *from : characters[letter - letters];
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    *rest = (end == NULL) ? NULL : (end + 1);
    return start;
}
@readers@
@writers@int main(void)
{
    for (long place = 1; fgets(line, (int)sizeof line, stdin) != NULL; place++) {
        @prefix@_row row;
        @real@ outputs[@PREFIX@_OUTPUTS];
        char *rest = line;
        int refused;
        int wrong = ((strlen(line) + 1) == sizeof line) ? 1 : 0; /* a line that is too long */

        line[strcspn(line, "\r\n")] = '\0';
@reads@
        if ((wrong != 0) || (rest != NULL)) {
            fprintf(stderr, "row %ld: expected @count@ values, separated by tabs\n", place);
            return 1;
        }
        refused = @prefix@_predict(&row, outputs);
        if (refused != 0) {
            fprintf(stderr, "row %ld, column %d: the value is missing or wrong\n", place,
                    refused);
            return 1;
        }
        for (size_t i = 0; i < (size_t)@PREFIX@_OUTPUTS; i++) {
            printf("%s%.17g", (i == 0) ? "" : "\t", (double)outputs[i]);
        }
@writes@        putchar('\n');
    }
    return 0;
}
#endif
//@ read_number
static double parsed(char **rest, int *wrong)
{
    const char *const text = field(rest);
    char *end = NULL;
    double value = NAN;

    if (text == NULL) {
        *wrong = 1;
    } else if (*text != '\0') {
        value = strtod(text, &end);
        *wrong = ((*end == '\0') && (*wrong == 0)) ? 0 : 1;
    }
    return value;
}
//@ read_text
static const char *text_or_null(char **rest, int *wrong)
{
    const char *const text = field(rest);

    if (text == NULL) {
        *wrong = 1;
        return NULL;
    }
    return (*text == '\0') ? NULL : text;
}
//@ writer
static void print_text(const char *text)
{
    putchar('\t');
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '\t':
            fputs("\\t", stdout);
            break;
        case '\n':
            fputs("\\n", stdout);
            break;
        case '\r':
            fputs("\\r", stdout);
            break;
        case '\\':
            fputs("\\\\", stdout);
            break;
        default:
            putchar(*text);
            break;
        }
    }
}
//@ write_intervals
        {
            @real@ low[@PREFIX@_OUTPUTS];
            @real@ high[@PREFIX@_OUTPUTS];

            @prefix@_intervals(outputs, low, high);
            for (size_t i = 0; i < (size_t)@PREFIX@_OUTPUTS; i++) {
                printf("\t%.17g\t%.17g", (double)low[i], (double)high[i]);
            }
        }
//@ write_class
        print_text(@prefix@_class_names[@prefix@_class(outputs)]);
//@ write_labels
        for (int i = 0; i < @count@; i++) {
            print_text(@prefix@_label(outputs, i));
        }
