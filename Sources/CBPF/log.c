#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CBPF.h"

static __thread char *text;
static __thread size_t used;
static __thread int keeping;

// libbpf's own words never reach the terminal: they are kept for whoever asked, or dropped.
static int keep(enum libbpf_print_level level, const char *format, va_list arguments) {
    if (!keeping || level == LIBBPF_DEBUG) return 0;
    va_list again;
    va_copy(again, arguments);
    int wanted = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (wanted <= 0) return 0;
    char *grown = realloc(text, used + (size_t)wanted + 1);
    if (!grown) return 0;
    text = grown;
    vsnprintf(text + used, (size_t)wanted + 1, format, arguments);
    used += (size_t)wanted;
    return wanted;
}

__attribute__((constructor)) static void install(void) {
    libbpf_set_print(keep);
}

void cbpf_log_stop(void) {
    free(text);
    text = NULL;
    used = 0;
    keeping = 0;
}

void cbpf_log_start(void) {
    cbpf_log_stop();
    keeping = 1;
}

const char *cbpf_log_text(void) {
    return text ? text : "";
}
