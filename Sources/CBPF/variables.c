#include <string.h>

#include "CBPF.h"

long cbpf_variable_offset(const struct bpf_object *object, const char *section, const char *name, size_t *size) {
    const struct btf *btf = bpf_object__btf(object);
    if (!btf) return -1;
    int number = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
    if (number < 0) return -1;
    const struct btf_type *type = btf__type_by_id(btf, (__u32)number);
    const struct btf_var_secinfo *entry = btf_var_secinfos(type);
    for (int i = 0; i < btf_vlen(type); i++, entry++) {
        const struct btf_type *variable = btf__type_by_id(btf, entry->type);
        const char *found = variable ? btf__name_by_offset(btf, variable->name_off) : NULL;
        if (!found || strcmp(found, name) != 0) continue;
        *size = entry->size;
        return (long)entry->offset;
    }
    return -1;
}
