/* SPDX-License-Identifier: Apache-2.0 */
#include "secret-source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../protocol/secret-stream.h"
#include "../base/locked-memory.h"
#include "../common/autofd.h"
#include "../common/error.h"
#include "../common/secret-spec.h"
#include "answer.h"

#define PIECE_BYTES (DN_LOCKED_PAGE_BYTES - DN_SECRET_PIECE_HEADER_BYTES)

static void
source_free (gpointer data)
{
  DnSecretSource *source = data;

  g_free (source->name);
  g_free (source->text);
  dn_fd_clear (&source->fd);
  g_free (source);
}

/* What a secret is can be said once. */
static gboolean
check_none_yet (const DnSecretSource *source, GError **error)
{
  return source->fd < 0
         || dn_throw (error, DN_ERROR_USAGE, "%s: '%s': its content is given twice", source->flag,
                      source->name);
}

static gboolean
open_stdin (DnSecretSource *source, GError **error)
{
  source->fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  source->is_stdin = TRUE;
  return source->fd >= 0
         || dn_throw_errno (error, "%s: '%s': standard input", source->flag, source->name);
}

static gboolean
open_file (DnSecretSource *source, const char *path, GError **error)
{
  struct stat status;

  if (g_str_equal (path, "-"))
    return open_stdin (source, error);
  source->fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (source->fd < 0 || fstat (source->fd, &status) < 0)
    return dn_throw_errno (error, "%s: '%s': '%s'", source->flag, source->name, path);
  if (S_ISDIR (status.st_mode))
    return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': '%s': is a directory", source->flag,
                     source->name, path);
  if (S_ISREG (status.st_mode) && status.st_size > DN_SECRET_BYTES)
    return dn_throw (error, DN_ERROR_LIMIT, "%s: '%s': '%s': has more than %d bytes", source->flag,
                     source->name, path, DN_SECRET_BYTES);
  return TRUE;
}

static gboolean
open_number (DnSecretSource *source, const char *text, GError **error)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT, &number, NULL) || number == 1
      || number == 2)
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: '%s': fd '%s': must be the number of a descriptor to read from",
                     source->flag, source->name, text);
  if (number == STDIN_FILENO)
    return open_stdin (source, error);
  source->fd = fcntl ((int) number, F_DUPFD_CLOEXEC, 3);
  if (source->fd < 0)
    return dn_throw_errno (error, "%s: '%s': fd %s", source->flag, source->name, text);
  /* Once taken it is nobody else's, a second secret's among them. */
  (void) close ((int) number);
  return TRUE;
}

/* Into a pipe, and out of this process's memory, of which /proc/PID/environ shows a part. */
static gboolean
open_variable (DnSecretSource *source, const char *name, GError **error)
{
  char *value = getenv (name);
  gsize size = value != NULL ? strlen (value) : 0;
  dn_autofd int end = -1;
  int pair[2];
  gboolean is_whole;

  if (value == NULL)
    return dn_throw (error, DN_ERROR_USAGE, "%s: '%s': there is no variable '%s'", source->flag,
                     source->name, name);
  if (size > DN_SECRET_BYTES || pipe2 (pair, O_CLOEXEC | O_NONBLOCK) < 0)
    return dn_throw (error, DN_ERROR_LIMIT, "%s: '%s': variable '%s': has more than %d bytes",
                     source->flag, source->name, name, DN_SECRET_BYTES);
  source->fd = pair[0];
  end = pair[1];
  (void) dn_locked_pin (value, size + 1);
  if (size > 0)
    (void) fcntl (end, F_SETPIPE_SZ, (int) size);
  is_whole = write (end, value, size) == (ssize_t) size;
  explicit_bzero (value, size);
  (void) unsetenv (name);
  return is_whole
         || dn_throw (
             error, DN_ERROR_LIMIT,
             "%s: '%s': variable '%s': is too long for a pipe here\ngive it by src= or fd=",
             source->flag, source->name, name);
}

/* Returns: 1: @field was about the source; 0: it is none of that; -1 with @error */
static int
read_source (DnSecretSource *source, const char *field, GError **error)
{
  static const struct
  {
    const char *prefix;
    gboolean (*open) (DnSecretSource *source, const char *value, GError **error);
  } kinds[] = {
    { "src=", open_file },     { "source=", open_file }, { "file=", open_file },
    { "env=", open_variable }, { "fd=", open_number },
  };

  if (g_str_equal (field, "stdin"))
    return check_none_yet (source, error) && open_stdin (source, error) ? 1 : -1;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_prefix (field, kinds[i].prefix))
      return check_none_yet (source, error)
                     && kinds[i].open (source, field + strlen (kinds[i].prefix), error)
                 ? 1
                 : -1;
  return 0;
}

/* Docker's and Podman's words for what is so here, or is not to be. */
static int
read_habit (const DnSecretSource *source, const char *field, GString *text, GError **error)
{
  static const char *const targets[] = { "dst=", "destination=" };

  for (gsize i = 0; i < G_N_ELEMENTS (targets); i++)
    if (g_str_has_prefix (field, targets[i]))
      {
        g_string_append_printf (text, ",target=%s", field + strlen (targets[i]));
        return 1;
      }
  if (g_str_equal (field, "type=mount"))
    return 1;
  if (!g_str_equal (field, "type=env"))
    return 0;
  dn_throw (error, DN_ERROR_USAGE,
            "%s: '%s': type=env: an environment is seen by every child and in every dump\nlet the "
            "program read " DN_SECRETS_DIRECTORY "/%s",
            source->flag, source->name, source->name);
  return -1;
}

static gboolean
read_fields (DnSecretSource *source, char **fields, GString *text, GError **error)
{
  for (; *fields != NULL; fields++)
    {
      int r = read_source (source, *fields, error);

      if (r == 0)
        r = read_habit (source, *fields, text, error);
      if (r < 0)
        return FALSE;
      if (r == 0)
        g_string_append_printf (text, ",%s", *fields);
    }
  return TRUE;
}

/* A service's credentials are files of the secrets' names. */
static gboolean
open_credential (DnSecretSource *source, GError **error)
{
  const char *directory = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *path
      = directory != NULL ? g_build_filename (directory, source->name, NULL) : NULL;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  return open_file (source, path, error);
}

static gboolean
check_use (const DnSecretSource *source, const char *fields, DnSecretsUse use, GError **error)
{
  const char *flag = source->flag;

  if (use == DN_SECRETS_NAMED && source->fd >= 0)
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: '%s': what is not started keeps no content\ngive the name alone here, "
                     "and danchi start %s %s=FILE",
                     flag, source->name, flag, source->name);
  if (use != DN_SECRETS_NAMED && source->fd < 0)
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: '%s': its content is missing\nsay %s=FILE, or src=, env=, fd= or stdin "
                     "after it",
                     flag, source->name, source->name);
  if (use >= DN_SECRETS_CONTENTS && *fields != '\0')
    return dn_throw (error, DN_ERROR_USAGE,
                     "%s: '%s': '%s' was decided when the container was made\ngive its content "
                     "alone",
                     flag, source->name, fields + 1);
  return TRUE;
}

static DnSecretSource *
read_one (const char *option, gboolean is_config, DnSecretsUse use, GError **error)
{
  g_auto (GStrv) fields = g_strsplit (option, ",", -1);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (DnSecretSpec) spec = NULL;
  DnSecretSource *source = g_new0 (DnSecretSource, 1);
  const char *first = fields[0] != NULL ? fields[0] : "";
  const char *equals = strchr (first, '=');
  gboolean is_fine;

  source->fd = -1;
  source->is_config = is_config;
  source->flag = is_config ? "--config" : use == DN_SECRETS_UPDATE ? "secret" : "--secret";
  source->name = equals != NULL ? g_strndup (first, (gsize) (equals - first)) : g_strdup (first);
  is_fine = dn_secret_name_check (source->name, source->flag, error)
            && (equals == NULL || open_file (source, equals + 1, error))
            && (fields[0] == NULL || read_fields (source, fields + 1, text, error))
            && (source->fd >= 0 || use == DN_SECRETS_NAMED || open_credential (source, error))
            && check_use (source, text->str, use, error);
  source->text = g_strconcat (source->name, text->str, NULL);
  if (is_fine)
    spec = dn_secret_spec_parse (source->text, is_config, error);
  if (spec != NULL)
    return source;
  source_free (source);
  return NULL;
}

static gboolean
add_one (GPtrArray *sources, DnSecretSource *source, gboolean has_stdin, GError **error)
{
  g_ptr_array_add (sources, source);
  for (guint i = 0; source->is_stdin && i + 1 < sources->len; i++)
    has_stdin = has_stdin || ((DnSecretSource *) sources->pdata[i])->is_stdin;
  return !source->is_stdin || !has_stdin
         || dn_throw (error, DN_ERROR_USAGE,
                      "%s: '%s': standard input is taken already\ngive it by src=, env= or fd=",
                      source->flag, source->name);
}

GPtrArray *
dn_secret_sources_read (char **secrets, char **configs, DnSecretsUse use, gboolean has_stdin,
                        GError **error)
{
  g_autoptr (GPtrArray) sources = g_ptr_array_new_with_free_func (source_free);
  char **const lists[] = { secrets, configs };

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    for (char **option = lists[i]; option != NULL && *option != NULL; option++)
      {
        DnSecretSource *source;

        dn_locked_hide_process ();
        source = read_one (*option, i == 1, use, error);
        if (source == NULL || !add_one (sources, source, has_stdin, error))
          return NULL;
      }
  return g_steal_pointer (&sources);
}

void
dn_secret_sources_fill_args (const GPtrArray *sources, DnSecretsUse use, JsonObject *args)
{
  static const char *const members[] = { "secrets", "configs", "contents" };
  JsonArray *lists[3];

  if (sources->len == 0)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    lists[i] = json_array_new ();
  for (guint i = 0; i < sources->len; i++)
    {
      const DnSecretSource *source = g_ptr_array_index (sources, i);

      if (use < DN_SECRETS_CONTENTS)
        json_array_add_string_element (lists[source->is_config ? 1 : 0], source->text);
      if (use != DN_SECRETS_NAMED)
        json_array_add_string_element (lists[2], source->name);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    if (json_array_get_length (lists[i]) > 0)
      json_object_set_array_member (args, members[i], lists[i]);
    else
      json_array_unref (lists[i]);
}

typedef struct
{
  const DnSecretSource *source;
  int danchid;
  int socket;
  guint8 *page; /* a piece: its header, and its bytes */
  gsize bytes;  /* so far */
} Delivery;

/* FALSE without @error: the other side takes no more, and has its reason to tell. */
static gboolean
put (const Delivery *delivery, gsize size)
{
  gsize at = 0;

  while (at < size)
    {
      ssize_t n = send (delivery->socket, delivery->page + at, size - at, MSG_NOSIGNAL);

      if (n < 0 && errno != EINTR)
        return FALSE;
      at += n > 0 ? (gsize) n : 0;
    }
  return TRUE;
}

/* A source may let wait for it; meanwhile the relay may go, or danchid. */
static gboolean
wait_readable (const Delivery *delivery)
{
  struct pollfd fds[3] = { { .fd = delivery->source->fd, .events = POLLIN },
                           { .fd = delivery->socket, .events = POLLRDHUP },
                           { .fd = delivery->danchid, .events = POLLRDHUP } };

  while (poll (fds, 3, -1) < 0 && errno == EINTR)
    ;
  return fds[1].revents == 0 && fds[2].revents == 0;
}

/* Returns: bytes; 0 at the end, or where nobody takes any more; -1 with @error */
static gssize
move_piece (Delivery *delivery, GError **error)
{
  const DnSecretSource *source = delivery->source;
  ssize_t n;

  do
    {
      if (!wait_readable (delivery))
        return 0;
      n = read (source->fd, delivery->page + DN_SECRET_PIECE_HEADER_BYTES, PIECE_BYTES);
    }
  while (n < 0 && (errno == EINTR || errno == EAGAIN));
  if (n < 0)
    {
      dn_throw_errno (error, "%s: '%s': reading it", source->flag, source->name);
      return -1;
    }
  delivery->bytes += (gsize) n;
  if (delivery->bytes > DN_SECRET_BYTES)
    {
      dn_throw (error, DN_ERROR_LIMIT, "%s: '%s': has more than %d bytes", source->flag,
                source->name, DN_SECRET_BYTES);
      return -1;
    }
  dn_secret_encode_header (delivery->page, (guint16) n);
  return put (delivery, DN_SECRET_PIECE_HEADER_BYTES + (gsize) n) ? n : 0;
}

static gboolean
deliver (const DnSecretSource *source, int danchid, int socket, GError **error)
{
  Delivery delivery = { .source = source, .danchid = danchid, .socket = socket };
  gssize n;

  delivery.page = dn_locked_new (DN_LOCKED_PAGE_BYTES);
  if (delivery.page == NULL)
    return dn_throw (error, DN_ERROR_FAILED,
                     "%s: '%s': not one page of memory may be locked here: %s\nraise the limit of "
                     "locked memory (ulimit -l)",
                     source->flag, source->name, g_strerror (errno));
  do
    n = move_piece (&delivery, error);
  while (n > 0);
  dn_locked_free (delivery.page, DN_LOCKED_PAGE_BYTES);
  return n == 0;
}

static DnSecretSource *
find_source (GPtrArray *sources, const char *name)
{
  for (guint i = 0; i < sources->len; i++)
    {
      DnSecretSource *source = g_ptr_array_index (sources, i);

      if (source->fd >= 0 && g_str_equal (source->name, name))
        return source;
    }
  return NULL;
}

gboolean
dn_secret_sources_answer (JsonObject *event, DnFdList *fds, gpointer data, GError **error)
{
  const char *name = dn_answer_text (event, "secret");
  const DnSecretOffer *offer = data;
  DnSecretSource *source = find_source (offer->sources, name);
  gboolean is_fine;

  /* What was not offered, and what was given already, nobody gets. */
  if (source == NULL || fds->count != 1)
    return dn_throw (error, DN_ERROR_PROTOCOL, "danchid: asks for a secret that was not offered");
  is_fine = deliver (source, dn_client_fd (offer->cli->client), fds->fds[0], error);
  dn_fd_clear (&source->fd);
  return is_fine;
}
