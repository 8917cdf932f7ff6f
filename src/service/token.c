/* Tokens: see user.h. The text of a token is 256 random bits; the database has its SHA-256 only, so that nobody who reads the
 * database can sign in with what stands there. Looking up a hash needs no comparison in constant time: its bits cannot be chosen.
 */
#include "service/user.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "codec/url.h"
#include "model/errors.h"

#include <pthread.h>

enum { TOKEN_BYTES = 32, TOKEN_TEXT_MAX = 200, SERVER_URL_MAX = 2048, REFERER_MAX = 2048 };

/* ---- failed sign-ins: a bounded table in the memory of the process ---- */

enum { FAILURE_ROWS = 1024, FAILURE_WINDOW_MS = 10 * 60 * 1000 };
static struct {
    pthread_mutex_t lock;
    struct failure_row {
        struct hash key; /* of site, name and address */
        int64_t since;   /* monotonic time of the first failure */
        int64_t count;   /* 0: free */
    } rows[FAILURE_ROWS];
} failures = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t monotonic(const struct ctx *ctx) { return ctx->clock->monotonic_ms(ctx->clock); }

static struct hash failure_key(struct ctx *ctx, const struct site *s, const struct token_input *in)
{
    /* '\n' is in no name, address or folder that reaches us, and the name is the last part */
    str name = utf8_fold(ctx->arena, in->username);
    return hash_of(arena_printf(ctx->arena, "%s\n%.*s\n%.*s", s->data_dir, STR_FMT(in->remote), STR_FMT(name)));
}

/* With the lock. The row of that key, or NULL. Rows whose time is over are freed on the way. */
static struct failure_row *failure_find(struct hash key, int64_t now)
{
    struct failure_row *found = NULL;
    for (size_t i = 0; i < FAILURE_ROWS; i++) {
        struct failure_row *row = &failures.rows[i];
        if (row->count && now - row->since >= FAILURE_WINDOW_MS)
            row->count = 0;
        if (row->count && hash_eq(row->key, key))
            found = row;
    }
    return found;
}

static bool failures_allow(const struct ctx *ctx, const struct site *s, struct hash key)
{
    pthread_mutex_lock(&failures.lock);
    const struct failure_row *row = failure_find(key, monotonic(ctx));
    bool allow = !row || row->count < s->settings.login_failures_max;
    pthread_mutex_unlock(&failures.lock);
    return allow;
}

/* When the table is full, the row with the fewest failures makes room, so that a flood of other names frees nobody who is locked
 * out. */
static void failures_add(const struct ctx *ctx, struct hash key)
{
    int64_t now = monotonic(ctx);
    pthread_mutex_lock(&failures.lock);
    struct failure_row *row = failure_find(key, now);
    if (!row) {
        row = &failures.rows[0];
        for (size_t i = 1; i < FAILURE_ROWS; i++)
            if (failures.rows[i].count < row->count)
                row = &failures.rows[i];
        *row = (struct failure_row){.key = key, .since = now};
    }
    row->count++;
    pthread_mutex_unlock(&failures.lock);
}

static void failures_clear(const struct ctx *ctx, struct hash key)
{
    pthread_mutex_lock(&failures.lock);
    struct failure_row *row = failure_find(key, monotonic(ctx));
    if (row)
        row->count = 0;
    pthread_mutex_unlock(&failures.lock);
}

/* ---- what a token is bound to ---- */

/* "HTTPS://Host/path" is "https://host:443"; what is no URL stays as it is (arcgis-rest-js sends "@esri/arcgis-rest-js"). */
static str origin_of(struct ctx *ctx, str referer)
{
    struct url_parts u;
    referer = str_trim(referer);
    if (!url_split(referer, &u))
        return referer;
    str host = utf8_fold(ctx->arena, u.host);
    return arena_printf(ctx->arena, "%s://%.*s:%u", u.secure ? "https" : "http", STR_FMT(host), u.port);
}

static int refuse(struct ctx *ctx, const char *why) { return err_set(ctx, &ERR_TOKEN_GENERATE, "%s", why); }

static int bind_referer(struct ctx *ctx, const struct token_input *in, struct token *t)
{
    if (str_empty(str_trim(in->referer)))
        return refuse(ctx, "'referer' is required with client=referer.");
    if (in->referer.n > REFERER_MAX || !utf8_valid(in->referer))
        return refuse(ctx, "'referer' is not valid.");
    t->referer = origin_of(ctx, in->referer);
    return RC_OK;
}

static int bind_address(struct ctx *ctx, str address, struct token *t)
{
    t->ip = str_trim(address);
    if (str_empty(t->ip) || t->ip.n > 64 || !utf8_valid(t->ip))
        return refuse(ctx, "'ip' is required with client=ip.");
    return RC_OK;
}

static int bind_client(struct ctx *ctx, const struct token_input *in, struct token *t)
{
    if (str_ieq(in->client, STR("ip")))
        return bind_address(ctx, in->ip, t);
    if (str_ieq(in->client, STR("requestip")))
        return bind_address(ctx, in->remote, t);
    if (str_ieq(in->client, STR("referer")) || (str_empty(in->client) && !str_empty(str_trim(in->referer))))
        return bind_referer(ctx, in, t);
    return str_empty(in->client) ? RC_OK : refuse(ctx, "'client' has to be referer, ip or requestip.");
}

/* ---- tokens of the database ---- */

static int token_find(struct ctx *ctx, struct sql_tx *tx, str text, struct token *out)
{
    int rc = text.n > TOKEN_TEXT_MAX ? RC_NOT_FOUND : meta_token_get(ctx, tx, hash_of(text), out);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && ctx_now(ctx) >= out->expires))
        return err_kind(ctx, &ERR_TOKEN_INVALID);
    return rc;
}

struct caller_call {
    str token, referer, remote;
    struct caller *caller;
};

static int find_caller(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    const struct caller_call *call = arg;
    struct token t;
    struct user u;
    int rc = call->token.n > TOKEN_TEXT_MAX ? RC_NOT_FOUND : meta_token_signed_in(ctx, tx, hash_of(call->token), &t, &u);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (u.disabled || ctx_now(ctx) >= t.expires)))
        return err_kind(ctx, &ERR_TOKEN_INVALID);
    TRY(rc);
    bool bound_elsewhere = (!str_empty(t.referer) && !str_eq(origin_of(ctx, call->referer), t.referer)) ||
                           (!str_empty(t.ip) && !str_eq(call->remote, t.ip));
    if (bound_elsewhere)
        return err_kind(ctx, &ERR_TOKEN_INVALID);
    *call->caller = access_caller(&u);
    return RC_OK;
}

int token_caller(struct ctx *ctx, struct site *s, str token, str referer, str remote, struct caller *out)
{
    *out = CALLER_ANONYMOUS;
    if (str_empty(token))
        return RC_OK;
    return sql_read(ctx, s->sql, find_caller,
                    &(struct caller_call){.token = token, .referer = referer, .remote = remote, .caller = out});
}

static int revoke(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    int rc = meta_token_delete(ctx, tx, hash_of(*(const str *)arg));
    return rc == RC_NOT_FOUND ? RC_OK : rc; /* as RFC 7009: an unknown token is revoked already */
}

int token_revoke(struct ctx *ctx, struct site *s, str token) { return sql_write(ctx, s->sql, revoke, &token); }

/* ---- making tokens ---- */

struct generate_call {
    const struct token_input *in;
    struct user user;
    bool known;
    struct token token;
};

static str token_text(struct ctx *ctx)
{
    char bytes[TOKEN_BYTES];
    random_bytes(bytes, sizeof bytes);
    str text = base64_encode(ctx->arena, str_of(bytes, sizeof bytes));
    explicit_bzero(bytes, sizeof bytes);
    char *p = arena_cstr(ctx->arena, text);
    for (size_t i = 0; i < text.n; i++)
        p[i] = p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i];
    while (text.n && p[text.n - 1] == '=')
        text.n--;
    return str_of(p, text.n);
}

static int token_start(struct ctx *ctx, struct site *s, const struct token_input *in, struct token *out, str *text_out)
{
    int64_t minutes = in->minutes > 0 ? in->minutes : s->settings.token_minutes_default;
    if (minutes > s->settings.token_minutes_max)
        minutes = s->settings.token_minutes_max;
    if (in->server_url.n > SERVER_URL_MAX || !utf8_valid(in->server_url))
        return refuse(ctx, "'serverUrl' is not valid.");
    *text_out = token_text(ctx);
    int64_t now = ctx_now(ctx);
    *out = (struct token){
        .hash = hash_of(*text_out), .created = now, .expires = now + minutes * 60 * 1000, .server_url = in->server_url};
    return bind_client(ctx, in, out);
}

/* The new token is for the same user, lives no longer than the one it is made from, and is bound to what that one is bound to:
 * whoever holds a bound token without being its client gains nothing here. */
static int exchange(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct generate_call *call = arg;
    struct token old, fresh = call->token;
    struct user user;
    TRY(token_find(ctx, tx, call->in->token, &old));
    int rc = meta_user_get(ctx, tx, old.username, &user);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && user.disabled))
        return err_kind(ctx, &ERR_TOKEN_INVALID);
    TRY(rc);
    fresh.username = user.username;
    if (fresh.expires > old.expires)
        fresh.expires = old.expires;
    if (!str_empty(old.referer) || !str_empty(old.ip)) {
        fresh.referer = old.referer;
        fresh.ip = old.ip;
    }
    call->token.expires = fresh.expires;
    return meta_token_insert(ctx, tx, &fresh);
}

static int find_user(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct generate_call *call = arg;
    int rc = meta_user_get(ctx, tx, call->in->username, &call->user);
    call->known = rc == RC_OK && str_ieq(call->user.username, call->in->username); /* not by the hidden id */
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Where a user marks what he likes: made when he is here for the first time. Nobody else ever sees it. */
static int favourites_ensure(struct ctx *ctx, struct sql_tx *tx, struct user *u)
{
    if (!id_none(u->favourites))
        return RC_OK;
    const struct group g = {.id = id_new(),
                            .title = arena_printf(ctx->arena, "%.*s's Favorites", STR_FMT(u->username)),
                            .owner = u->username,
                            .snippet = STR("A collection of favorites"),
                            .tags = STR("[]"),
                            .sort_field = STR("modified"),
                            .sort_order = STR("desc"),
                            .access = ITEM_PRIVATE,
                            .is_invitation_only = true,
                            .membership_access = STR("none"),
                            .favourites = true,
                            .created = ctx_now(ctx),
                            .modified = ctx_now(ctx)};
    u->favourites = g.id;
    return meta_group_insert(ctx, tx, &g);
}

/* The password was checked before, outside of the transaction: it must still be the one that was checked. */
static int sign_in(struct ctx *ctx, struct sql_tx *tx, void *arg)
{
    struct generate_call *call = arg;
    struct user now;
    int rc = meta_user_get(ctx, tx, call->user.username, &now);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && (now.disabled || !str_eq(now.password_hash, call->user.password_hash))))
        return refuse(ctx, "Invalid username or password.");
    TRY(rc);
    call->token.username = now.username;
    now.last_login = ctx_now(ctx);
    if (now.password_expires && now.password_expires <= now.last_login)
        return refuse(ctx, "The password has expired. Change it by community/users/{username}/reset, with 'password' and "
                           "'newPassword'.");
    TRY(favourites_ensure(ctx, tx, &now));
    TRY(meta_tokens_expire(ctx, tx, now.last_login));
    TRY(meta_user_update(ctx, tx, &now));
    return meta_token_insert(ctx, tx, &call->token);
}

/* A name that nobody has costs the same hash as one that is there, so that the time tells nothing about names. */
static bool password_right(struct ctx *ctx, const struct generate_call *call)
{
    str unused;
    if (call->known)
        return password_matches(call->in->password, call->user.password_hash);
    if (password_hash(ctx, call->in->password, &unused) != RC_OK)
        err_clear(ctx);
    return false;
}

static int check_password(struct ctx *ctx, struct site *s, struct generate_call *call)
{
    struct hash key = failure_key(ctx, s, call->in);
    if (!failures_allow(ctx, s, key))
        return refuse(ctx, "Too many failed attempts to sign in with this username. Wait ten minutes, then try again.");
    TRY(sql_read(ctx, s->sql, find_user, call));
    if (!password_right(ctx, call)) {
        failures_add(ctx, key);
        return refuse(ctx, "Invalid username or password.");
    }
    failures_clear(ctx, key);
    return RC_OK;
}

int token_check_password(struct ctx *ctx, struct site *s, const struct token_input *in, struct user *out)
{
    struct generate_call call = {.in = in};
    TRY(check_password(ctx, s, &call));
    *out = call.user;
    return RC_OK;
}

int token_generate(struct ctx *ctx, struct site *s, const struct token_input *in, str *token_out, int64_t *expires_out)
{
    struct generate_call call = {.in = in};
    str text;
    bool has_token = str_empty(in->username) && !str_empty(in->token);
    TRY(token_start(ctx, s, in, &call.token, &text));
    if (!has_token)
        TRY(check_password(ctx, s, &call));
    TRY(sql_write(ctx, s->sql, has_token ? exchange : sign_in, &call));
    *token_out = text;
    *expires_out = call.token.expires;
    return RC_OK;
}
