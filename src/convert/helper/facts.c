/* What the rows say about a column of texts: how long they are, whether they are identifiers. */
#include "base/id.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "convert/helper/source.h"
#include <stdlib.h>

enum { TEXT_LENGTH_LEAST = 256, GUIDS_FIRST = 1024 };

static bool is_globalid(const struct source_field *f)
{
    return f->field.type == FIELD_STRING && str_ieq(f->field.name, STR("globalid"));
}

static void note_guid(struct source_facts *c, str text, bool keep)
{
    char canonical[GUID_SIZE + 1];
    c->guid = guid_parse(text, canonical);
    if (!c->guid || !keep)
        return;
    if (c->guid_count == c->guid_capacity) {
        c->guid_capacity = c->guid_capacity ? c->guid_capacity * 2 : GUIDS_FIRST;
        c->guids = mem_resize(c->guids, c->guid_capacity * GUID_SIZE);
    }
    memcpy(c->guids + c->guid_count++ * GUID_SIZE, canonical, GUID_SIZE);
}

void source_facts_note(struct source_facts *facts, const struct source_field *f, str text)
{
    bool first = !facts->seen;
    facts->seen = true;
    if (text.n > facts->longest) {
        size_t n = utf8_length(text);
        facts->longest = n > facts->longest ? n : facts->longest;
    }
    if (first || facts->guid)
        note_guid(facts, text, is_globalid(f));
}

static int compare_guids(const void *a, const void *b) { return memcmp(a, b, GUID_SIZE); }

static bool all_differ(struct source_facts *c)
{
    qsort(c->guids, c->guid_count, GUID_SIZE, compare_guids);
    for (size_t i = 1; i < c->guid_count; i++)
        if (compare_guids(c->guids + (i - 1) * GUID_SIZE, c->guids + i * GUID_SIZE) == 0)
            return false;
    return true;
}

static void make_guid(struct source_field *f, enum field_type type)
{
    f->field.type = type;
    f->field.length = GUID_SIZE;
}

void source_facts_decide(struct source_facts *facts, struct source_field *f, int64_t rows, bool declared)
{
    if (f->field.type != FIELD_STRING)
        return;
    if (is_globalid(f) && facts->guid && (int64_t)facts->guid_count == rows && all_differ(facts)) {
        make_guid(f, FIELD_GLOBALID);
        f->field.nullable = f->field.editable = false;
    } else if (facts->guid && declared) {
        make_guid(f, FIELD_GUID);
    } else {
        if (f->field.length == 0)
            f->field.length = TEXT_LENGTH_LEAST;
        if (facts->longest > (size_t)f->field.length)
            f->field.length = facts->longest < INT32_MAX ? (int32_t)facts->longest : 0;
    }
    mem_free(facts->guids);
    facts->guids = NULL;
}
