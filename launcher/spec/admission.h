/* SPDX-License-Identifier: Apache-2.0 */
/* The one decision whether a container may run in a context, on this host, from this image,
 * confined as it asks to be.  Made when a container is made, and again at every start: rules may
 * have become narrower meanwhile.
 *
 * From what is asked for, the context, the host and the image to a permit, or to a refusal that
 * names the rule (rule.def), and file and line of what the rule goes by:
 *
 *     context 'acme-web': is stage 'dev', and this host takes stage prod
 *     (rule host-accepts, /etc/danchi/danchi.conf:4)
 *
 * Confinement: a profile (named, or the caller's own), --cap-add, --cap-drop and --security-opt
 * seccomp are settled against the policy of the context.  Whatever goes beyond the profile is a
 * relaxation with a name, which danchid keeps and shows.
 *
 * A name says whose profile it is: wherever one is shown it stands first, and is what people read.
 * So the caller's own profile may not carry the name of any of the operator's, also of those that
 * the context does not permit, unless it is that very profile, by its hash, and permitted.
 *
 * Pure.
 */
#pragma once

#include "network-policy.h"
#include "placement.h"
#include "policy.h"
#include "profile.h"
#include "terms.h"

#define DN_SECCOMP_NO_FILTER "unconfined" /* in place of a profile's text */

typedef enum
{
#define DN_RULE(name, word, group, key) DN_RULE_##name,
#include "rule.def"
#undef DN_RULE
  DN_RULES, /* how many */
} DnRule;

extern const char *const dn_rule_words[DN_RULES];

/* A port of the host that the container asks for. */
typedef struct
{
  const char *text; /* as it was asked for */
  guint family;     /* 4 or 6 */
  guint8 address[DN_ADDRESS_BYTES];
  DnPortRange ports;
} DnAdmissionPort;

/* A directory or file of the host's. */
typedef struct
{
  const char *source;
  gboolean is_writable;
} DnAdmissionBind;

/* What a container asks for.  All borrowed, here and below. */
typedef struct
{
  DnLabels labels;       /* those that it says it belongs to; NULL: not said */
  const char *network;   /* NULL: not said */
  gboolean is_of_tenant; /* who asks may run containers in a context of the tenant's */
  const DnAdmissionPort *ports;
  guint n_ports;
  const DnAdmissionBind *binds;
  guint n_binds;
  const char *home;         /* whose it is; NULL: not known */
  const char *const *own;   /* directories of danchid's own; may be NULL where there are no binds */
  const DnProfile *profile; /* what it asks for */
  gboolean is_own;          /* the caller's FILE, not one of the operator's */
  GPtrArray *permitted;     /* where is_own: the policy's profiles, DnProfile */
  char **operators;         /* where is_own: names of all of the operator's profiles */
  char **cap_add;           /* checked by dn_capability_check(), or NULL, as cap_drop */
  char **cap_drop;
  const char *seccomp_json; /* NULL: none, or DN_SECCOMP_NO_FILTER */
} DnAdmissionRequest;

typedef struct
{
  const char *name;
  const char *error; /* why its file cannot be used, or NULL */
  DnLabels labels;
  const DnPolicy *policy;
  const DnTerms *terms;
  const DnNetworkPolicy *network;
  /* Where its values stand: in its file, NULL of an ephemeral one; else in the host's. */
  const char *file;
  const DnKeyPlaces *guest_places; /* of [context] */
  const DnKeyPlaces *places;       /* of all else */
} DnAdmissionContext;

typedef struct
{
  char **accepts;
  char **networks;     /* what --network may name without a context; "*": any NAME */
  const char *network; /* the mode where nothing is named */
  const char *file;    /* danchi.conf, as it is for [host] ... */
  const DnKeyPlaces *places;
  const DnKeyPlaces *default_places; /* ... and as it was for the context's values */
} DnAdmissionHost;

typedef struct
{
  const char *asked; /* as the caller called it */
  char **references; /* in their stored form: the name that it was asked by, or all of its names
                        where that was an id */
  gboolean is_by_id; /* asked by its id in full, which is a digest */
  char **digests;    /* SHA-256, hexadecimal, that are the image's or its archives' */
  /* For each signature that was verified, paths of the keys of which one made it; an empty list
   * where the key is in no file.  (element-type char **) (nullable): none */
  GPtrArray *signatures;
  int scan;               /* the greatest DnScanNeed that its verdict serves */
  const char *scan_words; /* the verdict: "fail (2 critical)", "pass, 40 days ago"; NULL: none */
} DnAdmissionImage;

typedef struct
{
  const DnAdmissionRequest *request;
  const DnAdmissionContext *context;
  const DnAdmissionHost *host;
  const DnAdmissionImage *image;
} DnAdmission;

typedef struct
{
  DnRule rule;        /* where refused: the first that says no */
  int seccomp;        /* DnSeccompBase: what the filter begins with */
  char **relaxations; /* owned; what goes beyond the profile, or beyond the operator's profiles
                         where it is the caller's own; texts, perhaps none */
} DnVerdict;

void dn_verdict_clear (DnVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DnVerdict, dn_verdict_clear)

/**
 * dn_admission_decide:
 * @ret_verdict: (out): taken for empty; has the rule also on refusal
 *
 * Returns: TRUE, or FALSE with DN_ERROR_DENIED that names what is not permitted, the rule, and
 * where it stands; DN_ERROR_CONFIG where the context's file is wrong
 */
gboolean dn_admission_decide (const DnAdmission *admission, DnVerdict *ret_verdict, GError **error);

/* Of that, whether this host takes the context: DN_RULE_HOST_ACCEPTS alone.  @request and @image of
 * @admission are not looked at. */
gboolean dn_admission_check_host (const DnAdmission *admission, GError **error);

/* The capabilities of a container: of its root, and of any other of its users (@ret_ambient), who
 * has what was asked for by name and nothing of the profile's.  As with Docker an addition counts
 * for more than a --cap-drop, so that "--cap-drop ALL --cap-add X" leaves X. */
guint64 dn_admission_capabilities (const DnProfile *profile, char **cap_add, char **cap_drop,
                                   guint64 *ret_ambient);
