/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a context and the containers in it: the group [access] of its file.
 *
 *     users = alice;1042             these, and members of `groups`, have the rights of `verbs`
 *     groups = acme-ops
 *     verbs = run;exec;logs;inspect  without the key: all that there are
 *     readers = bob                  these have inspect and logs, whatever `verbs` says
 *     reader_groups = auditors
 *
 * Root may everything everywhere.  A context without a file was made for one caller's container and
 * is that caller's alone.  Whoever has no right at all on a context learns nothing of it: for them
 * it is not there.  Whoever has some other right is told which rule of which file is in the way.
 *
 * An entry of digits is an id, any other a name, compared with the names that the host's databases
 * have for the caller's ids: one that the host does not know gives nobody anything.
 *
 * Pure.  A verb of the API needs one or more of these rights: verbs.c.
 */
#pragma once

#include "../common/key-file.h"

typedef enum
{
  DN_RIGHT_RUN = 1 << 0,     /* make and start containers */
  DN_RIGHT_EXEC = 1 << 1,    /* put a process into one */
  DN_RIGHT_ATTACH = 1 << 2,  /* to what its first process reads and writes */
  DN_RIGHT_LOGS = 1 << 3,    /* what it wrote; its guest's console */
  DN_RIGHT_INSPECT = 1 << 4, /* see it: lists, inspect, top, stats, events, wait, verify */
  DN_RIGHT_STOP = 1 << 5,    /* end, kill, pause it */
  DN_RIGHT_RM = 1 << 6,      /* remove it */
  DN_RIGHT_CP = 1 << 7,      /* files in and out */
  DN_RIGHT_UPDATE = 1 << 8,  /* its limits and its name */
} DnRight;

#define DN_RIGHT_ALL 0x1ff
#define DN_RIGHT_OF_READERS (DN_RIGHT_INSPECT | DN_RIGHT_LOGS)

/* What a right is called in a file: by bit number, ends with NULL. */
extern const char *const dn_right_words[];

/* "run, exec". (transfer full) */
char *dn_right_names (guint rights);

typedef struct
{
  char **users; /* owned, as is all */
  char **groups;
  char **verbs;
  char **readers;
  char **reader_groups;
} DnAccessRules;

#define DN_ACCESS_KEYS 5

/* Nobody but root. */
void dn_access_rules_init (DnAccessRules *rules);
void dn_access_rules_clear (DnAccessRules *rules);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnAccessRules, dn_access_rules_clear)

/* @ret_copy is taken for empty: nothing in it is freed. */
void dn_access_rules_copy (const DnAccessRules *rules, DnAccessRules *ret_copy);

/* The %DN_ACCESS_KEYS keys that read @rules, for a table of dn_key_file_parse(). */
void dn_access_rules_fill_keys (DnAccessRules *rules, DnKey *ret_keys);

/* What the table cannot say; after parsing.  DN_ERROR_CONFIG, naming @what, line, group and key. */
gboolean dn_access_rules_check (const DnAccessRules *rules, const char *what,
                                const DnKeyPlaces *places, GError **error);

/* A caller's ids, and what the host calls them.  All borrowed. */
typedef struct
{
  guint uid;
  const char *user; /* NULL: the host has no name for it */
  guint gid;
  const char *group; /* likewise */
  const guint *groups;
  char *const *group_names; /* of `groups`, one each; "": no name */
  guint n_groups;
} DnPrincipal;

/* The first of @users that is the principal, or of @groups that it is in; NULL: none.  Either may
 * be NULL. (transfer none) */
const char *dn_access_match (char **users, char **groups, const DnPrincipal *principal);

/* What the rights are asked on. */
typedef struct
{
  const DnAccessRules *rules; /* NULL: it was made for `owner_uid` */
  const char *file;           /* of `rules` */
  guint owner_uid;
  gboolean is_closed; /* its file cannot be used: root's alone until it can */
} DnAccessSubject;

typedef enum
{
  DN_ACCESS_INVISIBLE, /* no right: to be told from "there is none" by nobody */
  DN_ACCESS_DENIED,    /* some right, but not these */
  DN_ACCESS_ALLOWED,
} DnAccessVerdict;

typedef struct
{
  DnAccessVerdict verdict;
  guint missing;    /* rights, where denied */
  const char *key;  /* of [access], which decided; NULL: root, the owner, or nobody's rule */
  const char *word; /* the entry in it; NULL likewise */
} DnAccessDecision;

/* Whether all of @rights are given. */
DnAccessDecision dn_access_decide (const DnAccessSubject *subject, const DnPrincipal *principal,
                                   guint rights);

/* By which rule, for the record: "root", "owner", "file 'F': [access] users: alice". (transfer
 * full) */
char *dn_access_rule_words (const DnAccessDecision *decision, const DnAccessSubject *subject,
                            const DnPrincipal *principal);
