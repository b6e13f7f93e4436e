/* SPDX-License-Identifier: Apache-2.0 */
/* Links: launcher/limits/guest-*.c launcher/daemon/scan-settings.c launcher/images/reference.c
 * launcher/images/scan-disk.c launcher/spec/admission*.c launcher/spec/placement.c
 * launcher/spec/t[em]*.c launcher/spec/bind-policy.c launcher/spec/signing-key.c
 * launcher/spec/reference-glob.c launcher/spec/policy.c launcher/spec/profile.c
 * launcher/spec/profile-file.c launcher/spec/profile-table.c launcher/spec/capability.c
 * launcher/pods/pod-settings.c launcher/spec/quantity.c launcher/spec/ulimit.c
 * launcher/daemon/context-definition.c launcher/daemon/settings.c launcher/network/plan.c
 * launcher/daemon/host-access.c launcher/spec/access.c launcher/common/paths.c
 * launcher/common/key-*.c launcher/common/names.c launcher/common/error.c
 * launcher/spec/network-policy.c launcher/base/network-rule.c launcher/base/public-address.c
 * launcher/common/json.c */

/* Every rule of admission, with at least one case that it permits and one that it refuses, from the
 * files' texts to the refusal (R1.2, R1.3, R2.1, R3.1, R5.4).  More of confinement is in
 * test-admission.c. */
#include <string.h>

#include "../../launcher/common/error.h"
#include "../../launcher/daemon/context-definition.h"
#include "../../launcher/spec/admission.h"
#include "../../launcher/spec/profile-file.h"
#include "../../launcher/spec/reference-glob.h"

#define ID "1111111111111111111111111111111111111111111111111111111111111111"
#define MANIFEST "2222222222222222222222222222222222222222222222222222222222222222"
#define OTHER "3333333333333333333333333333333333333333333333333333333333333333"
#define ACME "[context]\ntenant = acme\nstage = dev\ntier = web\n"

static DnProfile *strict, *standard;

typedef struct
{
  DnRule rule;
  const char *refusal; /* its beginning; NULL: permitted */
  const char *host;    /* danchi.conf */
  const char *context; /* acme.conf; NULL: no context */
  DnLabels labels;
  const char *image;   /* its reference; "id", "id in full", "no name" */
  const char *add;     /* a capability */
  const char *seccomp; /* a filter of the caller's */
  const char *network;
  gboolean is_of_tenant;
  const char *bind;
  gboolean is_writable;
  const char *port;
  const char *profile;    /* standard; "own": the caller's, "own strict" that calls itself so,
                             "own loose" */
  const char *file_error; /* of the context's file */
  const char *signed_by;  /* paths of keys; ',' between those of one signature, ';' between two */
  int scan;
  const char *scan_words;
} Case;

static const Case cases[] = {
  { DN_RULE_CONTEXT_FILE, .context = ACME },
  { DN_RULE_CONTEXT_FILE, "context 'acme-web': file 'acme.conf:3': bad (rule context-file)",
    .context = ACME, .file_error = "file 'acme.conf:3': bad" },

  { DN_RULE_TENANT, .context = ACME, .labels = { { "acme" } } },
  { DN_RULE_TENANT,
    "container: is of tenant 'globex', and context 'acme-web' of tenant 'acme' (rule tenant, "
    "acme.conf:2)\n",
    .context = ACME, .labels = { { "globex" } } },
  { DN_RULE_TENANT,
    "container: is of tenant 'globex', and context 'acme-web' of tenant 'none' (rule tenant, built "
    "in)\n",
    .context = "", .labels = { { "globex" } } },
  { DN_RULE_STAGE, .context = ACME, .labels = { { NULL, "dev" } } },
  { DN_RULE_STAGE,
    "container: is of stage 'prod', and context 'acme-web' of stage 'dev' (rule stage, "
    "acme.conf:3)\n",
    .context = ACME, .labels = { { "acme", "prod" } } },
  { DN_RULE_TIER, .context = ACME, .labels = { { "acme", "dev", "web" } } },
  { DN_RULE_TIER,
    "container: is of tier 'db', and context 'acme-web' of tier 'web' (rule tier, acme.conf:4)\n",
    .context = ACME, .labels = { { NULL, NULL, "db" } } },

  { DN_RULE_HOST_ACCEPTS, .context = ACME },
  { DN_RULE_HOST_ACCEPTS, .host = "[host]\naccepts = stage:prod;stage:dev\n", .context = ACME },
  { DN_RULE_HOST_ACCEPTS, .host = "[host]\naccepts = stage:dev;tenant:acme\n", .context = ACME },
  { DN_RULE_HOST_ACCEPTS,
    "context 'acme-web': is of stage 'dev', and this host takes prod, test (rule host-accepts, "
    "danchi.conf:3)\n",
    .host = "[host]\n\naccepts = stage:prod;tenant:acme;stage:test\n", .context = ACME },
  { DN_RULE_HOST_ACCEPTS,
    "context 'acme-web': is of tenant 'acme', and this host takes globex (rule host-accepts, "
    "danchi.conf:2)\n",
    .host = "[host]\naccepts = stage:dev;tenant:globex\n", .context = ACME },
  { DN_RULE_HOST_ACCEPTS,
    "context 'acme-web': is of tier 'web', and this host takes db (rule host-accepts, "
    "danchi.conf:2)\n",
    .host = "[host]\naccepts = tier:db\n", .context = ACME },
  /* One without a context is of none, unless it says more: those labels are its context's then. */
  { DN_RULE_HOST_ACCEPTS,
    "context 'c-1': is of stage 'none', and this host takes prod (rule host-accepts, "
    "danchi.conf:2)\nchoose a context, or say --stage",
    .host = "[host]\naccepts = stage:prod\n" },
  { DN_RULE_HOST_ACCEPTS, .host = "[host]\naccepts = stage:prod\n",
    .labels = { { NULL, "prod" } } },

  { DN_RULE_IMAGE_ALLOW, .context = ACME },
  { DN_RULE_IMAGE_ALLOW, .context = ACME, .image = "no name" },
  { DN_RULE_IMAGE_ALLOW, .context = ACME "[images]\nallow = x:*;nginx:*\n" },
  { DN_RULE_IMAGE_ALLOW, .context = ACME "[images]\nallow = docker.io/**\n",
    .image = "docker.io/library/redis:7" },
  /* By an id: one of its names is enough. */
  { DN_RULE_IMAGE_ALLOW, .context = ACME "[images]\nallow = nginx:*\n", .image = "id" },
  { DN_RULE_IMAGE_ALLOW,
    "image 'localhost/nginx:1': not permitted in context 'acme-web' (rule image-allow, "
    "acme.conf:6)\npermitted are redis:*, docker.io/**: [images] allow",
    .context = ACME "[images]\nallow = redis:*;docker.io/**\n" },
  { DN_RULE_IMAGE_ALLOW,
    "image 'evil/nginx:1': not permitted in context 'acme-web' (rule image-allow, acme.conf:6)\n",
    .context = ACME "[images]\nallow = nginx:*\n", .image = "evil/nginx:1" },
  { DN_RULE_IMAGE_ALLOW,
    "image 'localhost/nginx:1': not permitted in context 'acme-web' (rule image-allow, "
    "danchi.conf:2)\n",
    .host = "[images]\nallow = redis:*\n", .context = ACME },
  { DN_RULE_IMAGE_ALLOW, .host = "[images]\nallow = redis:*\n",
    .context = ACME "[images]\nallow = nginx:*\n" },
  { DN_RULE_IMAGE_ALLOW, "image 'no name': not permitted in context 'acme-web'",
    .context = ACME "[images]\nallow = nginx:*\n", .image = "no name" },

  { DN_RULE_IMAGE_DIGEST, .context = ACME "[images]\ndigest = required\n",
    .image = "localhost/nginx@sha256:" MANIFEST },
  { DN_RULE_IMAGE_DIGEST, .context = ACME "[images]\ndigest = required\n", .image = "id in full" },
  { DN_RULE_IMAGE_DIGEST,
    "image 'localhost/nginx:1': context 'acme-web' wants images pinned by their digest (rule "
    "image-digest, acme.conf:6)\n",
    .context = ACME "[images]\ndigest = required\n" },
  { DN_RULE_IMAGE_DIGEST, "image 'id': context 'acme-web' wants images pinned by their digest",
    .context = ACME "[images]\ndigest = required\n", .image = "id" },
  /* A name says any digest that whoever gave it likes. */
  { DN_RULE_IMAGE_DIGEST, "image 'localhost/nginx@sha256:33",
    .context = ACME "[images]\ndigest = required\n", .image = "localhost/nginx@sha256:" OTHER },

  { DN_RULE_IMAGE_SIGNATURE, .context = ACME "[images]\nsignature = required\n",
    .signed_by = "/k/acme.gpg" },
  { DN_RULE_IMAGE_SIGNATURE,
    "image 'localhost/nginx:1': context 'acme-web' wants signed images, and it is not (rule "
    "image-signature, acme.conf:6)\n",
    .context = ACME "[images]\nsignature = required\n" },
  { DN_RULE_IMAGE_SIGNATURE, "image 'localhost/nginx:1': context 'c-1' wants signed images",
    .host = "[images]\nsignature = required\n" },
  /* By whose key: its name, its path; every key of which one has signed has to do. */
  { DN_RULE_IMAGE_SIGNATURE, .context = ACME "[images]\nsignature = ci;acme\n",
    .signed_by = "/k/acme.gpg" },
  { DN_RULE_IMAGE_SIGNATURE, .context = ACME "[images]\nsignature = /k/acme.gpg\n",
    .signed_by = "/k/acme.gpg" },
  { DN_RULE_IMAGE_SIGNATURE, .context = ACME "[images]\nsignature = ci;acme\n",
    .signed_by = "/k/other.pub;/k/acme.gpg,/k/ci.pub" },
  { DN_RULE_IMAGE_SIGNATURE,
    "image 'localhost/nginx:1': context 'acme-web' wants images signed by acme, "
    "and it is signed by another (rule image-signature, acme.conf:6)\n",
    .context = ACME "[images]\nsignature = acme\n", .signed_by = "/k/other.gpg" },
  { DN_RULE_IMAGE_SIGNATURE,
    "image 'localhost/nginx:1': context 'acme-web' wants images signed by acme, "
    "and it is signed by another",
    .context = ACME "[images]\nsignature = acme\n", .signed_by = "/k/acme.gpg,/k/other.gpg" },
  { DN_RULE_IMAGE_SIGNATURE,
    "image 'localhost/nginx:1': context 'acme-web' wants images signed by "
    "/k/acme.gpg, and it is signed by another",
    .context = ACME "[images]\nsignature = /k/acme.gpg\n", .signed_by = "/other/acme.gpg" },
  { DN_RULE_IMAGE_SIGNATURE,
    "image 'localhost/nginx:1': context 'acme-web' wants images signed by acme, "
    "ci, and it is not signed (rule image-signature, acme.conf:6)\n",
    .context = ACME "[images]\nsignature = acme;ci\n" },
  /* A key that is in no file has no name, and is still a key. */
  { DN_RULE_IMAGE_SIGNATURE, .context = ACME "[images]\nsignature = required\n", .signed_by = "" },
  { DN_RULE_IMAGE_SIGNATURE,
    "image 'localhost/nginx:1': context 'acme-web' wants images signed by acme",
    .context = ACME "[images]\nsignature = acme\n", .signed_by = "" },

  { DN_RULE_IMAGE_SCAN, .context = ACME },
  { DN_RULE_IMAGE_SCAN, .context = ACME "[images]\nscan = required\n",
    .scan = DN_SCAN_NEED_REQUIRED, .scan_words = "warn (2 low)" },
  { DN_RULE_IMAGE_SCAN, .context = ACME "[images]\nscan = required\n", .scan = DN_SCAN_NEED_PASS,
    .scan_words = "pass" },
  { DN_RULE_IMAGE_SCAN, .context = ACME "[images]\nscan = pass\n", .scan = DN_SCAN_NEED_PASS,
    .scan_words = "pass" },
  { DN_RULE_IMAGE_SCAN,
    "image 'localhost/nginx:1': context 'acme-web' wants images whose scan says pass or warn; its "
    "verdict is: none (rule image-scan, acme.conf:6)\n",
    .context = ACME "[images]\nscan = required\n" },
  { DN_RULE_IMAGE_SCAN,
    "image 'localhost/nginx:1': context 'acme-web' wants images whose scan says pass; its verdict "
    "is: "
    "warn (2 low) (rule image-scan, danchi.conf:2)\n",
    .host = "[images]\nscan = pass\n", .context = ACME, .scan = DN_SCAN_NEED_REQUIRED,
    .scan_words = "warn (2 low)" },
  { DN_RULE_IMAGE_SCAN,
    "image 'localhost/nginx:1': context 'acme-web' wants images whose scan says",
    .context = ACME "[images]\nscan = required\n", .scan_words = "fail (1 critical)" },

  { DN_RULE_NETWORK, .context = ACME, .network = "none" },
  { DN_RULE_NETWORK,
    "--network bridge: context 'acme-web' has network none (rule network, acme.conf:6)\n",
    .context = ACME "[network]\nmode = none\n", .network = "bridge" },
  { DN_RULE_NETWORK, .context = ACME "[network]\nmode = backend\n", .network = "backend" },
  { DN_RULE_NETWORK,
    "--network egress: context 'acme-web' has network backend (rule network, danchi.conf:2)\n",
    .host = "[network]\nmode = backend\n", .context = ACME, .network = "egress" },
  { DN_RULE_NETWORK_EPHEMERAL, .network = "egress" },
  { DN_RULE_NETWORK_EPHEMERAL, .network = "backend" },
  { DN_RULE_NETWORK_EPHEMERAL, .host = "[network]\nephemeral = backend\n", .network = "backend" },
  /* What holds without being asked for is the operator's own word. */
  { DN_RULE_NETWORK_EPHEMERAL, .host = "[network]\nmode = egress\nephemeral =\n" },
  { DN_RULE_NETWORK_EPHEMERAL, .host = "[network]\nephemeral =\n",
    .context = ACME "[network]\nmode = egress\n", .network = "egress" },
  { DN_RULE_NETWORK_EPHEMERAL,
    "--network egress: not permitted without a context on this host (rule network-ephemeral, "
    "danchi.conf:2)\npermitted are none, internal: [network] ephemeral",
    .host = "[network]\nephemeral = none;internal\n", .network = "egress" },
  { DN_RULE_NETWORK_EPHEMERAL, "--network backend: not permitted without a context on this host",
    .host = "[network]\nephemeral = none;internal;egress\n", .network = "backend" },
  { DN_RULE_NETWORK_EPHEMERAL, "--network none: not permitted without a context on this host",
    .host = "[network]\nmode = egress\nephemeral = internal;*\n", .network = "none" },
  { DN_RULE_NETWORK_TENANT, .labels = { { "acme" } }, .network = "backend", .is_of_tenant = TRUE },
  { DN_RULE_NETWORK_TENANT, .labels = { { "acme" } }, .network = "egress" },
  { DN_RULE_NETWORK_TENANT, .context = ACME "[network]\nmode = backend\n" },
  { DN_RULE_NETWORK_TENANT,
    "--network backend: is a network of tenant 'acme', whose contexts you may not run containers "
    "in (rule network-tenant, built in)\n",
    .labels = { { "acme" } }, .network = "backend" },
  { DN_RULE_PUBLISH, .context = ACME, .port = "127.0.0.1:8080" },
  { DN_RULE_PUBLISH, .context = ACME, .port = "[::1]:8080" },
  { DN_RULE_PUBLISH, .context = ACME "[network]\npublish = any:80-90\n", .port = "0.0.0.0:80" },
  { DN_RULE_PUBLISH,
    "--publish 127.0.0.1:80: not permitted in context 'acme-web' (rule publish, built in)\n"
    "permitted are loopback, where without ports those from 1024 on are meant: [network] publish",
    .context = ACME, .port = "127.0.0.1:80" },
  { DN_RULE_PUBLISH,
    "--publish 0.0.0.0:8080: not permitted in context 'c-1' (rule publish, danchi.conf:2)\n",
    .host = "[network]\npublish = loopback;192.0.2.7\n", .port = "0.0.0.0:8080" },
  { DN_RULE_PUBLISH,
    "--publish [::]:8080: not permitted in context 'acme-web' (rule publish, "
    "acme.conf:6)\npermitted are none",
    .host = "[network]\npublish = any\n", .context = ACME "[network]\npublish =\n",
    .port = "[::]:8080" },

  { DN_RULE_BINDS, .context = ACME "[volumes]\nbinds = /srv:ro;/srv/out:rw\n", .bind = "/srv/in" },
  { DN_RULE_BINDS, .context = ACME "[volumes]\nbinds = /srv:ro;/srv/out:rw\n", .bind = "/srv/out/x",
    .is_writable = TRUE },
  { DN_RULE_BINDS, .host = "[volumes]\nbinds = ~:rw\n", .context = ACME, .bind = "/home/alice/src",
    .is_writable = TRUE },
  { DN_RULE_BINDS,
    "bind '/srv': not permitted in context 'acme-web' (rule binds, built in)\n"
    "permitted are none: [volumes] binds",
    .context = ACME, .bind = "/srv" },
  { DN_RULE_BINDS,
    "bind '/srv/in' for writing: not permitted in context 'acme-web' (rule binds, acme.conf:6)\n"
    "permitted are /srv:ro, /srv/out:rw: [volumes] binds",
    .context = ACME "[volumes]\nbinds = /srv:ro;/srv/out:rw\n", .bind = "/srv/in",
    .is_writable = TRUE },
  { DN_RULE_BINDS, "bind '/home/bob': not permitted in context 'c-1' (rule binds, danchi.conf:2)\n",
    .host = "[volumes]\nbinds = ~:rw\n", .bind = "/home/bob" },
  /* What a context's file says holds in the place of the host's, nothing too. */
  { DN_RULE_BINDS, "bind '/srv': not permitted in context 'acme-web' (rule binds, acme.conf:6)\n",
    .host = "[volumes]\nbinds = /srv\n", .context = ACME "[volumes]\nbinds =\n", .bind = "/srv" },
  { DN_RULE_BINDS, "bind '/var/lib': '/var/lib/danchi' is given to no container\n",
    .context = ACME "[volumes]\nbinds = /var:rw\n", .bind = "/var/lib" },
  { DN_RULE_BINDS, "bind '/opt/state/x': '/opt/state' is given to no container\n",
    .context = ACME "[volumes]\nbinds = /opt:rw\n", .bind = "/opt/state/x" },

  { DN_RULE_PROFILE, .context = ACME, .profile = "standard" },
  { DN_RULE_PROFILE,
    "--profile 'standard': not permitted in this context (rule profile, acme.conf:6)\n"
    "permitted are strict: [confinement] profiles",
    .context = ACME "[confinement]\nprofiles = strict\n", .profile = "standard" },
  { DN_RULE_PROFILE_NAME, .context = ACME, .profile = "own" },
  { DN_RULE_PROFILE_NAME,
    "--profile: calls itself 'strict' and is another (rule profile-name, built in)\n",
    .context = ACME, .profile = "own strict" },
  { DN_RULE_CAPABILITIES, .context = ACME "[confinement]\ncapabilities = NET_RAW\n",
    .add = "NET_RAW" },
  { DN_RULE_CAPABILITIES,
    "confinement: not permitted in this context: capability NET_RAW (rule capabilities, "
    "danchi.conf:2)\n",
    .host = "[confinement]\ncapabilities = CHOWN\n", .context = ACME, .add = "NET_RAW" },
  { DN_RULE_SECCOMP, .context = ACME "[confinement]\nseccomp = unconfined\n",
    .seccomp = DN_SECCOMP_NO_FILTER },
  { DN_RULE_SECCOMP,
    "confinement: not permitted in this context: seccomp unconfined (rule seccomp, acme.conf:6)\n",
    .context = ACME "[confinement]\nseccomp = relaxed\n", .seccomp = DN_SECCOMP_NO_FILTER },
  { DN_RULE_PROFILE_FILES, .context = ACME "[confinement]\nprofile_files = yes\n",
    .profile = "own loose" },
  { DN_RULE_PROFILE_FILES,
    "confinement: not permitted in this context: path /proc/kcore is not masked (rule "
    "profile-files, built in)\n",
    .context = ACME, .profile = "own loose" },
};

static DnProfile *
parse_profile (const char *text)
{
  g_autoptr (GError) error = NULL;
  DnProfile *profile = dn_profile_parse (text, strlen (text), "own", &error);

  g_assert_no_error (error);
  return profile;
}

static DnProfile *
load_profile (const char *path)
{
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return parse_profile (text);
}

/* strict's file with one more word of another. */
static DnProfile *
own_profile (const char *kind)
{
  g_autofree char *text = dn_profile_print (strict);
  g_autoptr (GString) changed = g_string_new (text);

  g_assert_cmpuint (g_string_replace (changed, "pids = 512", "pids = 100", 1), ==, 1);
  if (!g_str_equal (kind, "own strict"))
    g_assert_cmpuint (g_string_replace (changed, "name = strict", "name = mine", 1), ==, 1);
  if (g_str_equal (kind, "own loose"))
    g_assert_cmpuint (g_string_replace (changed, "/proc/kcore = masked\n", "", 1), ==, 1);
  return parse_profile (changed->str);
}

static DnAdmissionImage
make_image (const Case *c, char **references, GPtrArray *signatures)
{
  static char *digests[] = { (char *) ID, (char *) MANIFEST, NULL };
  const char *text = c->image != NULL ? c->image : "localhost/nginx:1";
  gboolean is_by_id = g_str_has_prefix (text, "id");

  references[0]
      = g_str_equal (text, "no name") ? NULL : (char *) (is_by_id ? "localhost/nginx:1" : text);
  references[1] = NULL;
  if (c->signed_by != NULL)
    {
      g_auto (GStrv) each = g_strsplit (*c->signed_by != '\0' ? c->signed_by : ",", ";", -1);

      for (guint i = 0; each[i] != NULL; i++)
        g_ptr_array_add (signatures, g_strsplit (*c->signed_by != '\0' ? each[i] : "", ",", -1));
    }
  return (DnAdmissionImage){ .asked = text,
                             .references = references,
                             .is_by_id = g_str_equal (text, "id in full"),
                             .digests = digests,
                             .signatures = signatures,
                             .scan = c->scan,
                             .scan_words = c->scan_words };
}

static void
make_context (const Case *c, DnSettings *settings, DnContextDefinition *definition)
{
  const char *host = c->host != NULL ? c->host : "", *own = c->context != NULL ? c->context : "";
  g_autoptr (GError) error = NULL;

  (void) dn_settings_parse (settings, host, strlen (host), &error);
  g_assert_no_error (error);
  dn_context_definition_init (definition, settings);
  (void) dn_context_definition_parse (definition, own, strlen (own), "acme.conf", &error);
  g_assert_no_error (error);
}

static DnAdmissionPort
make_port (const char *text)
{
  DnAdmissionPort port = { .text = text };
  DnNetworkEnd end;

  if (text == NULL)
    return port;
  g_assert_cmpstr (dn_network_end_parse (text, 0, &end), ==, NULL);
  port.family = end.family;
  memcpy (port.address, end.address, sizeof port.address);
  port.ports = (DnPortRange){ end.port, end.port };
  return port;
}

/* Whether it is permitted. */
static gboolean
decide (const Case *c, DnVerdict *verdict, GError **error)
{
  static char *operators[] = { (char *) "standard", (char *) "strict", NULL };
  char *references[2], *add[] = { (char *) c->add, NULL };
  gboolean is_own = c->profile != NULL && g_str_has_prefix (c->profile, "own");
  g_autoptr (DnSettings) settings = dn_settings_new ("danchi.conf");
  g_autoptr (DnProfile) own = is_own ? own_profile (c->profile) : NULL;
  g_autoptr (GPtrArray) permitted = g_ptr_array_new ();
  DnContextDefinition definition;
  const DnAdmissionPort port = make_port (c->port);
  const DnAdmissionBind bind = { c->bind, c->is_writable };
  static const char *const hosts_own[] = { "/opt/state", NULL };
  const DnAdmissionRequest request = { .labels = c->labels,
                                       .network = c->network,
                                       .is_of_tenant = c->is_of_tenant,
                                       .ports = &port,
                                       .n_ports = c->port != NULL,
                                       .binds = &bind,
                                       .n_binds = c->bind != NULL,
                                       .home = "/home/alice",
                                       .own = hosts_own,
                                       .profile = own != NULL          ? own
                                                  : c->profile != NULL ? standard
                                                                       : strict,
                                       .is_own = is_own,
                                       .permitted = permitted,
                                       .operators = operators,
                                       .cap_add = c->add != NULL ? add : NULL,
                                       .seccomp_json = c->seccomp };
  g_autoptr (GPtrArray) signatures = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  const DnAdmissionImage image = make_image (c, references, signatures);
  DnAdmissionContext context;
  DnAdmissionHost host;
  gboolean is_permitted;

  g_ptr_array_add (permitted, strict);
  g_ptr_array_add (permitted, standard);
  make_context (c, settings, &definition);
  context = (DnAdmissionContext){ .name = c->context != NULL ? "acme-web" : "c-1",
                                  .error = c->file_error,
                                  .labels = dn_context_definition_labels (&definition),
                                  .policy = &definition.policy,
                                  .terms = &definition.terms,
                                  .network = &definition.network,
                                  .file = c->context != NULL ? "acme.conf" : NULL,
                                  .guest_places = definition.guest_origin.places,
                                  .places = definition.origin.places };
  for (DnLabel label = 0; c->context == NULL && label < DN_LABELS; label++)
    if (c->labels.values[label] != NULL)
      context.labels.values[label] = c->labels.values[label];
  /* As danchid makes one for a container without a context. */
  if (c->context == NULL && c->network != NULL)
    dn_network_policy_set_mode (&definition.network, c->network);
  host = (DnAdmissionHost){ .accepts = settings->accepts,
                            .networks = settings->networks,
                            .network = settings->network.mode,
                            .file = settings->file,
                            .places = settings->places,
                            .default_places = settings->places };
  is_permitted = dn_admission_decide (
      &(DnAdmission){ .request = &request, .context = &context, .host = &host, .image = &image },
      verdict, error);
  dn_context_definition_clear (&definition);
  return is_permitted;
}

static void
test_every_case_is_decided_by_its_rule (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const Case *c = &cases[i];
      g_auto (DnVerdict) verdict = { 0 };
      g_autoptr (GError) error = NULL;
      gboolean is_permitted = decide (c, &verdict, &error);

      if (c->refusal == NULL && !is_permitted)
        g_test_fail_printf ("case %u: %s", i, error->message);
      if (c->refusal == NULL)
        continue;
      if (is_permitted || verdict.rule != c->rule || !g_str_has_prefix (error->message, c->refusal))
        g_test_fail_printf ("case %u: rule %s: %s", i, dn_rule_words[verdict.rule],
                            is_permitted ? "permitted" : error->message);
      g_assert_cmpint (error->code, ==,
                       c->rule == DN_RULE_CONTEXT_FILE ? DN_ERROR_CONFIG : DN_ERROR_DENIED);
    }
}

static void
test_every_rule_has_a_case_of_either_kind (void)
{
  for (DnRule rule = 0; rule < DN_RULES; rule++)
    {
      guint permits = 0, refusals = 0;

      for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
        if (cases[i].rule == rule)
          *(cases[i].refusal == NULL ? &permits : &refusals) += 1;
      if (permits == 0 || refusals == 0)
        g_test_fail_printf ("rule %s: %u permitting and %u refusing cases", dn_rule_words[rule],
                            permits, refusals);
    }
}

/* Pattern, reference, whether it matches. */
static const struct
{
  const char *pattern;
  const char *reference;
  gboolean matches;
} globs[] = {
  { "nginx:*", "localhost/nginx:1", TRUE },
  { "nginx:*", "localhost/nginx:", TRUE },
  { "nginx:*", "localhost/nginx-evil:1", FALSE },
  { "nginx:*", "docker.io/nginx:1", FALSE },
  { "nginx:*", "localhost/x/nginx:1", FALSE },
  { "nginx*", "localhost/nginx-evil:1", TRUE },
  { "localhost/nginx:*", "localhost/nginx:1", TRUE },
  { "acme/*:*", "localhost/acme/web:1", TRUE },
  { "acme/*:*", "localhost/acme/web/x:1", FALSE },
  { "acme/**", "localhost/acme/web/x:1", TRUE },
  { "acme/**", "localhost/acmeweb:1", FALSE },
  { "**", "docker.io/library/redis:7", TRUE },
  { "*", "localhost/redis:7", TRUE },
  { "*", "docker.io/library/redis:7", FALSE },
  { "*/*/*", "docker.io/library/redis:7", TRUE },
  { "*/*", "docker.io/library/redis:7", FALSE },
  { "docker.io/**:7", "docker.io/library/redis:7", TRUE },
  { "docker.io/**:7", "docker.io/library/redis:17", FALSE },
  { "docker.io/**:?7", "docker.io/library/redis:17", TRUE },
  { "docker?io/**", "docker/io/x:1", FALSE },
  { "**@sha256:*", "localhost/a@sha256:00", TRUE },
  { "**@sha256:*", "localhost/a:00", FALSE },
  { "reg:5000/a:1", "reg:5000/a:1", TRUE },
  { "reg:5000/a:1", "localhost/reg:5000/a:1", FALSE },
  /* What takes other matchers a lifetime. */
  { "**a**a**a**a**a**a**a**a**a**a**a**a**a**b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    FALSE },
};

static void
test_patterns_match_whole_references (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (globs); i++)
    if (dn_reference_glob_matches (globs[i].pattern, globs[i].reference) != globs[i].matches)
      g_test_fail_printf ("%s and %s", globs[i].pattern, globs[i].reference);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  strict = load_profile ("config/profiles/strict.conf");
  standard = load_profile ("config/profiles/standard.conf");
  g_test_add_func ("/rules/every-case-is-decided-by-its-rule",
                   test_every_case_is_decided_by_its_rule);
  g_test_add_func ("/rules/every-rule-has-a-case-of-either-kind",
                   test_every_rule_has_a_case_of_either_kind);
  g_test_add_func ("/rules/patterns-match-whole-references", test_patterns_match_whole_references);
  status = g_test_run ();
  dn_profile_free (strict);
  dn_profile_free (standard);
  return status;
}
