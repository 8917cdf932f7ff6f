/* Roles: the table of the default ones, and privileges as sets of bits. */
#include "model/role.h"

static const struct privilege_row {
    const char *text;
    enum role lowest;
} privileges[] = {
#define PRIVILEGE(name, text, role) {text, role},
#include "model/privileges.def"
#undef PRIVILEGE
};
_Static_assert(PRIVILEGE_COUNT <= 64, "a set of privileges has 64 bits");

/* One row a role; the spellings that clients and command lines use for it. */
static const struct role_row {
    const char *id, *spellings[4];
} roles[ROLE_COUNT] = {
    [ROLE_VIEWER] = {"iAAAAAAAAAAAAAAA", {"viewer", "account_viewer", "org_viewer"}},
    [ROLE_USER] = {"org_user", {"user", "account_user"}},
    [ROLE_PUBLISHER] = {"org_publisher", {"publisher", "account_publisher"}},
    [ROLE_ADMIN] = {"org_admin", {"admin", "administrator", "account_admin"}},
};

const char *role_id(enum role r) { return roles[r].id; }

bool role_parse(str s, enum role *out)
{
    for (unsigned r = 0; r < COUNT_OF(roles); r++) {
        bool match = str_ieq(s, str_c(roles[r].id));
        for (size_t i = 0; i < COUNT_OF(roles[r].spellings) && roles[r].spellings[i]; i++)
            match = match || str_ieq(s, str_c(roles[r].spellings[i]));
        if (match) {
            *out = (enum role)r;
            return true;
        }
    }
    return false;
}

role_privileges role_privileges_of(enum role r)
{
    role_privileges set = 0;
    for (unsigned p = 0; p < COUNT_OF(privileges); p++)
        if (privileges[p].lowest <= r)
            set |= UINT64_C(1) << p;
    return set;
}

enum role role_floor(role_privileges set)
{
    for (enum role r = ROLE_PUBLISHER; r > ROLE_VIEWER; r--)
        if ((role_privileges_of(r) & ~set) == 0)
            return r;
    return ROLE_VIEWER;
}

bool role_privileges_parse(struct arena *a, struct json list, role_privileges *out, str *unknown_out)
{
    struct json_iter it = json_each(list);
    struct json v;
    *out = 0;
    *unknown_out = STR("");
    if (!json_is(list, JSON_ARRAY))
        return false;
    while (json_next(&it, NULL, &v)) {
        unsigned p = 0;
        while (p < COUNT_OF(privileges) && !json_string_eq(v, str_c(privileges[p].text)))
            p++;
        if (p == COUNT_OF(privileges)) {
            *unknown_out = json_string_or(v, a, json_raw(v));
            return false;
        }
        *out |= UINT64_C(1) << p;
    }
    return true;
}

void role_privileges_print(struct json_out *o, role_privileges set)
{
    json_begin_array(o);
    for (unsigned p = 0; p < COUNT_OF(privileges); p++)
        if (role_holds(set, (enum privilege)p))
            json_put_str(o, str_c(privileges[p].text));
    json_end_array(o);
}

void role_print(struct json_out *o, const struct custom_role *r)
{
    json_begin_object(o);
    json_member_str(o, "id", r->id);
    json_member_str(o, "name", r->name);
    json_member_str(o, "description", r->description);
    json_member_int(o, "created", r->created);
    json_member_int(o, "modified", r->modified);
    json_end_object(o);
}
