/* The table of commands as a man page and as completions: see pages.h. What a word or a value is called says how it is completed.
 */
#include "app/pages.h"
#include "app/commands.h"
#include "base/arena.h"

/* ---- what is completed how ---- */

enum complete { COMPLETE_NOTHING, COMPLETE_FILE, COMPLETE_FOLDER, COMPLETE_PORTAL, COMPLETE_COMMAND };
static const struct {
    const char *word;
    enum complete how;
} completed[] = {{"FILE", COMPLETE_FILE},
                 {"FILE.epk", COMPLETE_FILE},
                 {"DIR", COMPLETE_FOLDER},
                 {"PORTAL", COMPLETE_PORTAL},
                 {"[COMMAND]...", COMPLETE_COMMAND}};

/* word: "FILE", "[FILE]", "FILE..." */
static enum complete complete_of(str word)
{
    str bare = word;
    while (bare.n && (bare.p[0] == '['))
        bare = str_sub(bare, 1, bare.n);
    while (bare.n && strchr("].", bare.p[bare.n - 1]))
        bare.n--;
    for (size_t i = 0; i < COUNT_OF(completed); i++)
        if (str_eq(word, str_c(completed[i].word)) || str_eq(bare, str_c(completed[i].word)))
            return completed[i].how;
    return COMPLETE_NOTHING;
}

static str first_of(const char *name)
{
    str s = str_c(name);
    return str_sub(s, 0, str_find_char(s, ' ', 0));
}
/* Is it the first command of its family ("item add" of item)? */
static bool begins_family(size_t i)
{
    return i == 0 || !str_eq(first_of(command_table[i].name), first_of(command_table[i - 1].name));
}
static str verb_of(const char *name)
{
    str s = str_c(name);
    size_t space = str_find_char(s, ' ', 0);
    return space == SIZE_MAX ? STR("") : str_sub(s, space + 1, s.n);
}
static const char *dashes(const struct option *o) { return strlen(o->name) == 1 ? "-" : "--"; }

/* Of a family its verbs, of a command alone its summary. */
static const char *summary_of(struct ctx *ctx, size_t i)
{
    str verbs = command_verbs(ctx, first_of(command_table[i].name));
    return verbs.n ? verbs.p : command_table[i].summary;
}

/* ---- the man page ---- */

/* Text for roff: what would be taken as a command is made harmless, and minus signs can be copied. */
static void roff(FILE *to, const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", to);
    for (; *text; text++)
        if (*text == '\\')
            fputs("\\e", to);
        else if (*text == '-')
            fputs("\\-", to);
        else
            fputc(*text, to);
}

static void roff_option(FILE *to, const struct option *o)
{
    fputs(".TP\n\\fB", to);
    roff(to, dashes(o));
    roff(to, o->name);
    fputs("\\fR", to);
    if (o->value[0])
        fprintf(to, " \\fI%s\\fR", o->value);
    fputc('\n', to);
    roff(to, o->meaning);
    if (o->otherwise && o->otherwise[0]) {
        fputs(" (default ", to);
        roff(to, o->otherwise);
        fputc(')', to);
    }
    fputs(".\n", to);
}

static void roff_command(FILE *to, const struct command *c)
{
    fprintf(to, ".SS \"mapferry %s\"\n", c->name);
    fprintf(to, "\\fBmapferry %s\\fR", c->name);
    str words = str_c(c->words), word;
    while (str_split(&words, ' ', &word))
        fprintf(to, " \\fI%.*s\\fR", STR_FMT(word));
    fputs(c->options[0].name ? " [\\fIOPTION\\fR]...\n.PP\n" : "\n.PP\n", to);
    roff(to, c->summary);
    fputc('\n', to);
    if (c->run == app_serve)
        fputs("Each option is also a variable MAPFERRY_<NAME> of the environment and a line name = value of the file that "
              "\\fB\\-\\-config\\fR "
              "names. Options win over the environment, that over the file.\n",
              to);
    for (const struct option *o = c->options; o->name; o++)
        roff_option(to, o);
}

int pages_man(struct ctx *ctx, FILE *to)
{
    (void)ctx;
    fputs(
        ".TH MAPFERRY 1 \"\" \"mapferry " MAPFERRY_VERSION
        "\" \"User Commands\"\n.SH NAME\nmapferry \\- content portal and mover of "
        "geographic content\n.SH SYNOPSIS\n.B mapferry\n\\fICOMMAND\\fR [\\fIWORD\\fR]... [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n"
        "\\fBmapferry serve\\fR is a portal: items, groups, layers, and the interfaces that clients know. Every other command "
        "moves "
        "content between portals and packages, or looks after a portal.\n.PP\n\\fIPORTAL\\fR is a URL, or a name that "
        "\\fBmapferry portal add\\fR has given. Passwords and tokens are read from files, the environment or the terminal, never "
        "from the command line.\n.PP\nResults go to standard output, progress to standard error: a bar on a terminal, plain "
        "lines "
        "into a pipe. An option may also be written \\fB\\-\\-name=\\fIvalue\\fR. Every command knows:\n",
        to);
    roff_option(to, &option_json);
    roff_option(to, &(struct option){"help", OPTION_FLAG, "", "tell the words and options of the command", NULL});
    fputs(".SH COMMANDS\n", to);
    for (size_t i = 0; i < command_count; i++)
        roff_command(to, &command_table[i]);
    fputs(".SH EXIT STATUS\n", to);
    for (const struct exit_meaning *e = command_exits; e->meaning; e++)
        fprintf(to, ".TP\n.B %d\n%s\n", e->code, e->meaning);
    fputs(".SH ENVIRONMENT\n.TP\n.BR MAPFERRY_USER \", \" MAPFERRY_PASSWORD \", \" MAPFERRY_TOKEN\n"
          "Whom to sign in as when \\fIPORTAL\\fR is a URL.\n"
          ".TP\n.B XDG_CONFIG_HOME\nWhere the folder \\fImapferry\\fR with the named portals is; \\fI~/.config\\fR without it.\n"
          ".TP\n.BR https_proxy \", \" http_proxy \", \" no_proxy\nProxies, when the portal's profile names none.\n"
          ".SH FILES\n.TP\n.I ~/.config/mapferry/NAME.json\nA named portal (mode 0600).\n",
          to);
    return RC_OK;
}

/* ---- bash ---- */

/* Options of a command; `how` COMPLETE_NOTHING: all, else those whose value is completed so. */
static void bash_options(FILE *to, const struct command *c, enum complete how)
{
    const char *between = "";
    for (const struct option *o = c->options; o->name; o++)
        if (how == COMPLETE_NOTHING || (o->value[0] && complete_of(str_c(o->value)) == how)) {
            fprintf(to, "%s%s%s", between, dashes(o), o->name);
            between = " ";
        }
}

static void bash_case(FILE *to, const struct command *c)
{
    fprintf(to, "    '%s')\n        options='", c->name);
    bash_options(to, c, COMPLETE_NOTHING);
    fputs("' values='", to);
    for (const struct option *o = c->options; o->name; o++)
        if (o->value[0])
            fprintf(to, "%s%s ", dashes(o), o->name);
    fputs("' files='", to);
    bash_options(to, c, COMPLETE_FILE);
    fputs("' folders='", to);
    bash_options(to, c, COMPLETE_FOLDER);
    fputs("'\n        kinds=(", to);
    str words = str_c(c->words), word;
    bool first = true, many = false;
    while (str_split(&words, ' ', &word)) {
        fprintf(to, "%s%d", first ? "" : " ", (int)complete_of(word));
        first = false;
        many = str_ends(word, STR("..."));
    }
    fprintf(to, ") many=%d ;;\n", many);
}

static void bash(struct ctx *ctx, FILE *to)
{
    (void)ctx;
    fputs("# bash completion of mapferry, written by `mapferry help --completion bash`.\n_mapferry() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} line=${COMP_LINE:0:COMP_POINT} words verbs= options= values= files= folders= "
          "kinds=() many=0\n"
          "    local IFS=$' \\t\\n'\n"
          "    read -ra words <<<\"$line\"\n"
          "    [[ $line == *[[:space:]] ]] && words+=('')\n"
          "    local last=$((${#words[@]} - 1)) at=2 prev place=0 i\n"
          "    COMPREPLY=()\n"
          "    [[ $cur == '=' ]] && cur=\n"
          "    if ((last == 1)); then\n        COMPREPLY=($(compgen -W '",
          to);
    for (size_t i = 0; i < command_count; i++)
        if (begins_family(i))
            fprintf(to, "%.*s ", STR_FMT(first_of(command_table[i].name)));
    fputs("' -- \"$cur\"))\n        return\n    fi\n    case ${words[1]} in\n", to);
    for (size_t i = 0; i < command_count; i++) {
        str first = first_of(command_table[i].name), verb = verb_of(command_table[i].name);
        if (verb.n && begins_family(i))
            fprintf(to, "    %.*s) verbs='", STR_FMT(first));
        if (verb.n)
            fprintf(to, "%.*s%s", STR_FMT(verb), i + 1 < command_count && !begins_family(i + 1) ? " " : "' ;;\n");
    }
    fputs("    esac\n    local command=${words[1]}\n"
          "    if [[ $verbs ]]; then\n"
          "        if ((last == 2)); then\n            COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\"))\n            return\n    "
          "    fi\n"
          "        command+=\" ${words[2]}\" at=3\n    fi\n    case $command in\n",
          to);
    for (size_t i = 0; i < command_count; i++)
        bash_case(to, &command_table[i]);
    fputs("    *) return ;;\n    esac\n    prev=${words[last - 1]}\n"
          "    [[ ${words[last]} == --*=* ]] && prev=${words[last]%%=*}\n"
          "    if [[ \" $values \" == *\" $prev \"* ]]; then\n"
          "        if [[ \" $files \" == *\" $prev \"* ]]; then\n            compopt -o filenames\n            "
          "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
          "        elif [[ \" $folders \" == *\" $prev \"* ]]; then\n            compopt -o filenames\n            "
          "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
          "        fi\n        return\n    fi\n"
          "    if [[ ${words[last]} == -* ]]; then\n        COMPREPLY=($(compgen -W \"$options --json --help\" -- \"$cur\"))\n   "
          "     return\n    fi\n"
          "    for ((i = at; i < last; i++)); do\n"
          "        if [[ \" $values \" == *\" ${words[i]} \"* ]]; then\n            ((i++))\n"
          "        elif [[ ${words[i]} != -* ]]; then\n            ((place++))\n        fi\n    done\n"
          "    ((many && place >= ${#kinds[@]})) && place=$((${#kinds[@]} - 1))\n"
          "    case ${kinds[place]} in\n",
          to);
    fprintf(to,
            "    %d)\n        compopt -o filenames\n        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
            "    %d)\n        compopt -o filenames\n        mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
            "    %d)\n        for i in \"${XDG_CONFIG_HOME:-$HOME/.config}\"/mapferry/*.json; do\n"
            "            i=${i##*/} i=${i%%.json}\n            [[ $i == \"$cur\"* && $i != '*' ]] && COMPREPLY+=(\"$i\")\n       "
            " done ;;\n"
            "    %d) COMPREPLY=($(compgen -W '",
            COMPLETE_FILE, COMPLETE_FOLDER, COMPLETE_PORTAL, COMPLETE_COMMAND);
    for (size_t i = 0; i < command_count; i++)
        if (begins_family(i))
            fprintf(to, "%.*s ", STR_FMT(first_of(command_table[i].name)));
    fputs("' -- \"$cur\")) ;;\n    esac\n    return 0\n}\ncomplete -F _mapferry mapferry\n", to);
}

/* ---- zsh ---- */

/* Text inside of a quoted argument of _arguments or _describe: its brackets, colons and quotes escaped. */
static void zsh_text(FILE *to, const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", to);
        else if (strchr("[]:\\", *text))
            fprintf(to, "\\%c", *text);
        else
            fputc(*text, to);
}

static const char *zsh_action(enum complete how)
{
    static const char *const actions[] = {[COMPLETE_NOTHING] = " ",
                                          [COMPLETE_FILE] = "_files",
                                          [COMPLETE_FOLDER] = "_files -/",
                                          [COMPLETE_PORTAL] = "_mapferry_portals",
                                          [COMPLETE_COMMAND] = "_mapferry_commands"};
    return actions[how];
}

static void zsh_option(FILE *to, const struct option *o)
{
    bool single = strlen(o->name) == 1, value = o->value[0] != 0;
    fprintf(to, " \\\n            '%s%s%s%s[", o->kind == OPTION_LIST ? "*" : "", dashes(o), o->name,
            value && !single ? "=" : "");
    zsh_text(to, o->meaning);
    fputc(']', to);
    if (value)
        fprintf(to, ":%s:%s", o->value, zsh_action(complete_of(str_c(o->value))));
    fputc('\'', to);
}

static void zsh_case(FILE *to, const struct command *c)
{
    fprintf(to, "    '%s')\n        _arguments", c->name);
    for (const struct option *o = c->options; o->name; o++)
        zsh_option(to, o);
    zsh_option(to, &option_json);
    str words = str_c(c->words), word;
    for (int n = 1; str_split(&words, ' ', &word); n++) {
        const char *action = zsh_action(complete_of(word));
        if (str_ends(word, STR("...")))
            fprintf(to, " \\\n            '*:word:%s'", action);
        else
            fprintf(to, " \\\n            '%d:word:%s'", n, action);
    }
    fputs(" ;;\n", to);
}

static void zsh_descriptions(struct ctx *ctx, FILE *to, str family)
{
    for (size_t i = 0; i < command_count; i++) {
        const char *name = command_table[i].name;
        bool listed = family.n ? str_eq(first_of(name), family) : begins_family(i);
        if (!listed)
            continue;
        str shown = family.n ? verb_of(name) : first_of(name);
        fprintf(to, " '%.*s:", STR_FMT(shown));
        zsh_text(to, family.n ? command_table[i].summary : summary_of(ctx, i));
        fputc('\'', to);
    }
}

static void zsh(struct ctx *ctx, FILE *to)
{
    fputs("#compdef mapferry\n# zsh completion of mapferry, written by `mapferry help --completion zsh`.\n\n"
          "_mapferry_portals() {\n    local -a names\n    names=(${XDG_CONFIG_HOME:-$HOME/.config}/mapferry/*.json(N:t:r))\n"
          "    compadd -a names\n}\n\n_mapferry_commands() {\n    local -a names\n    names=(",
          to);
    zsh_descriptions(ctx, to, STR(""));
    fputs(" )\n    _describe command names\n}\n\n_mapferry() {\n    local -a verbs\n    local command=$words[2]\n"
          "    if (( CURRENT == 2 )); then\n        _mapferry_commands\n        return\n    fi\n    case $command in\n",
          to);
    for (size_t i = 0; i < command_count; i++)
        if (begins_family(i) && verb_of(command_table[i].name).n) {
            str family = first_of(command_table[i].name);
            fprintf(to, "    %.*s)\n        verbs=(", STR_FMT(family));
            zsh_descriptions(ctx, to, family);
            fputs(" ) ;;\n", to);
        }
    fputs("    esac\n    if (( $#verbs )); then\n        if (( CURRENT == 3 )); then\n            _describe verb verbs\n         "
          "   return\n"
          "        fi\n        command=\"$command $words[3]\"\n        shift words\n        (( CURRENT-- ))\n    fi\n"
          "    shift words\n    (( CURRENT-- ))\n    case $command in\n",
          to);
    for (size_t i = 0; i < command_count; i++)
        zsh_case(to, &command_table[i]);
    fputs("    esac\n}\n\n_mapferry \"$@\"\n", to);
}

/* ---- fish ---- */

static void fish_text(FILE *to, const char *text)
{
    fputc('\'', to);
    for (; *text; text++)
        fprintf(to, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('\'', to);
}

static void fish_option(FILE *to, const struct command *c, const struct option *o)
{
    enum complete how = complete_of(str_c(o->value));
    bool files = how == COMPLETE_FILE || how == COMPLETE_FOLDER;
    fprintf(to, "complete -c mapferry -n \"__mapferry_is '%s'\" %s %s%s -d ", c->name, strlen(o->name) == 1 ? "-s" : "-l",
            o->name,
            !o->value[0] ? ""
            : files      ? " -r -F"
                         : " -x");
    fish_text(to, o->meaning);
    fputc('\n', to);
}

static void fish_command(FILE *to, const struct command *c)
{
    for (const struct option *o = c->options; o->name; o++)
        fish_option(to, c, o);
    fish_option(to, c, &option_json);
    str words = str_c(c->words), word;
    while (str_split(&words, ' ', &word)) {
        enum complete how = complete_of(word);
        const char *what = how == COMPLETE_PORTAL    ? "-a '(__mapferry_portals)'"
                           : how == COMPLETE_FILE    ? "-F"
                           : how == COMPLETE_FOLDER  ? "-a '(__fish_complete_directories)'"
                           : how == COMPLETE_COMMAND ? "-a '(__mapferry_commands)'"
                                                     : NULL;
        if (what)
            fprintf(to, "complete -c mapferry -n \"__mapferry_is '%s'\" %s\n", c->name, what);
    }
}

static void fish(struct ctx *ctx, FILE *to)
{
    fputs("# fish completion of mapferry, written by `mapferry help --completion fish`.\n"
          "function __mapferry_words\n    set -l words (commandline -opc)\n    set -e words[1]\n    echo \"$words\"\nend\n"
          "function __mapferry_is\n    string match -q -- \"$argv[1] *\" (__mapferry_words)' '\nend\n"
          "function __mapferry_wants\n    test \"$argv[1]\" = (__mapferry_words)\nend\n"
          "function __mapferry_portals\n    set -l folder $XDG_CONFIG_HOME\n    test -n \"$folder\"; or set folder ~/.config\n"
          "    for file in $folder/mapferry/*.json\n        string replace -r '.*/(.*)\\.json$' '$1' -- $file\n    end\nend\n"
          "function __mapferry_commands\n    printf '%s\\n'",
          to);
    for (size_t i = 0; i < command_count; i++)
        if (begins_family(i))
            fprintf(to, " %.*s", STR_FMT(first_of(command_table[i].name)));
    fputs("\nend\ncomplete -c mapferry -f\n", to);
    for (size_t i = 0; i < command_count; i++) {
        str first = first_of(command_table[i].name), verb = verb_of(command_table[i].name);
        if (begins_family(i)) {
            fprintf(to, "complete -c mapferry -n \"__mapferry_wants ''\" -a %.*s -d ", STR_FMT(first));
            fish_text(to, summary_of(ctx, i));
            fputc('\n', to);
        }
        if (verb.n) {
            fprintf(to, "complete -c mapferry -n \"__mapferry_wants '%.*s'\" -a %.*s -d ", STR_FMT(first), STR_FMT(verb));
            fish_text(to, command_table[i].summary);
            fputc('\n', to);
        }
        fish_command(to, &command_table[i]);
    }
}

int pages_completion(struct ctx *ctx, str shell, FILE *to)
{
    static const struct {
        const char *name;
        void (*print)(struct ctx *ctx, FILE *to);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < COUNT_OF(shells); i++)
        if (str_eq(shell, str_c(shells[i].name))) {
            shells[i].print(ctx, to);
            return RC_OK;
        }
    return err_set(ctx, &ERR_USAGE, "There is a completion of bash, zsh and fish, not of '%.*s'.", STR_FMT(shell));
}
