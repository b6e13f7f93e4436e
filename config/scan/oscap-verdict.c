/* SPDX-License-Identifier: Apache-2.0 */
/* A scanner for Danchi's hook: runs OpenSCAP over the image in /scan with the OVAL documents in
 * /scan-data, and writes what it found as a verdict to standard output.
 *
 *     oscap-verdict [--fail-on low|medium|high|critical]     default: low
 *
 *     fail   a package of the image is vulnerable, and it is at least that severe
 *     warn   all that is vulnerable is less severe; or the image has no database of dpkg's
 *     pass   nothing of what the documents know
 *
 * The program runs in the scanner's image (build.sh), in a guest that is thrown away: what it reads
 * of the scanned image, and what OpenSCAP makes of that, can hurt nobody else.  Whatever goes wrong
 * is a status that is not 0, and so no verdict.
 *
 * OpenSCAP's dpkg probe is libapt-pkg, which wants directories that it can write to and tables of
 * its own below the root that it looks at.  So it is shown a directory with copies of the few files
 * that OVAL documents of distributions ask for, and not /scan itself.
 *
 * Source: oscap(8), OVAL 5.11.2 (definitions, results, directives), dpkg(1), deb-version(7).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libxml/xmlreader.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATA "/scan-data"
#define PROBE "/tmp/probe"
#define RESULTS "/tmp/results.xml"
#define DIRECTIVES "/usr/share/danchi-scan/oscap-directives.xml"
#define DPKG_TABLES "/usr/share/dpkg"
#define FILE_MAX_BYTES (64 * 1024 * 1024)
/* Danchi takes 256 KiB. */
#define OUTPUT_MAX_BYTES (240 * 1024)
#define TEXT_MAX_BYTES 120

static const char *const severities[] = { "low", "medium", "high", "critical", NULL };

typedef struct
{
  char *key; /* owned, as are all */
  char *first;
  char *second;
} Entry;

/* A table of texts by a text, sorted once when it is full. */
typedef struct
{
  Entry *entries;
  size_t count;
  size_t room;
  bool is_sorted;
} Table;

typedef struct
{
  int severity;
  const char *id; /* borrowed of tables, as are all */
  const char *package;
  const char *installed;
  const char *fixed;
  const char *title;
} Finding;

static Table packages;    /* name → version, as the image has them installed */
static Table definitions; /* id → title, CVE */
static Table levels;      /* definition's id → severity */
static Table tests;       /* id → object's id, state's id */
static Table objects;     /* id → package */
static Table states;      /* id → version in which it is fixed */
static Finding *findings;
static size_t finding_count;

static void __attribute__ ((noreturn, format (printf, 1, 2))) fail (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  fputs ("oscap-verdict: ", stderr);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (2);
}

static void *
grow (void *old, size_t count, size_t size)
{
  void *grown = reallocarray (old, count, size);

  if (grown == NULL)
    fail ("no memory");
  return grown;
}

static char *
copy (const char *text)
{
  char *copied = strdup (text != NULL ? text : "");

  if (copied == NULL)
    fail ("no memory");
  return copied;
}

static void
add (Table *table, const char *key, const char *first, const char *second)
{
  if (table->count == table->room)
    {
      table->room = table->room * 2 + 64;
      table->entries = grow (table->entries, table->room, sizeof *table->entries);
    }
  table->entries[table->count++] = (Entry){ copy (key), copy (first), copy (second) };
  table->is_sorted = false;
}

static int
compare_entries (const void *one, const void *other)
{
  return strcmp (((const Entry *) one)->key, ((const Entry *) other)->key);
}

static const Entry *
find (Table *table, const char *key)
{
  Entry wanted = { .key = (char *) key };

  if (!table->is_sorted)
    qsort (table->entries, table->count, sizeof *table->entries, compare_entries);
  table->is_sorted = true;
  return table->count > 0
             ? bsearch (&wanted, table->entries, table->count, sizeof wanted, compare_entries)
             : NULL;
}

/* The files that the probe is shown. */

static void
make_directories (void)
{
  static const char *const paths[] = { PROBE,
                                       PROBE "/etc",
                                       PROBE "/usr",
                                       PROBE "/usr/share",
                                       PROBE "/usr/share/dpkg",
                                       PROBE "/var",
                                       PROBE "/var/cache",
                                       PROBE "/var/cache/apt",
                                       PROBE "/var/lib",
                                       PROBE "/var/lib/apt",
                                       PROBE "/var/lib/apt/lists",
                                       PROBE "/var/lib/dpkg",
                                       PROBE "/var/lib/dpkg/updates" };

  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
    if (mkdir (paths[i], 0700) < 0 && errno != EEXIST)
      fail ("%s: %s", paths[i], strerror (errno));
}

/* Appends a plain file.  A link of the image's leads no further than into this container. */
static bool
append_file (const char *from, const char *to, const char *end)
{
  int in = open (from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int out = in >= 0 ? open (to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
  struct stat status;
  char bytes[65536];
  size_t total = 0;
  ssize_t n;

  if (out < 0 || fstat (in, &status) < 0 || !S_ISREG (status.st_mode))
    {
      (void) close (in);
      (void) close (out);
      return false;
    }
  while ((n = read (in, bytes, sizeof bytes)) > 0)
    if ((total += (size_t) n) > FILE_MAX_BYTES || write (out, bytes, (size_t) n) != n)
      fail ("%s: too large, or no room for it in /tmp ([scan] memory_mib)", from);
  if (n < 0 || write (out, end, strlen (end)) < 0)
    fail ("%s: %s", from, strerror (errno));
  (void) close (in);
  (void) close (out);
  return true;
}

/* Also status.d/, where images without dpkg itself keep a file for each package. */
static bool
copy_packages (void)
{
  static const char status[] = PROBE "/var/lib/dpkg/status";
  bool has_any = append_file ("/scan/var/lib/dpkg/status", status, "\n");
  DIR *directory = opendir ("/scan/var/lib/dpkg/status.d");
  struct dirent *entry;

  while (directory != NULL && (entry = readdir (directory)) != NULL)
    {
      size_t length = strlen (entry->d_name);
      char path[512];

      if (entry->d_name[0] == '.'
          || (length > 8 && strcmp (entry->d_name + length - 8, ".md5sums") == 0))
        continue;
      (void) snprintf (path, sizeof path, "/scan/var/lib/dpkg/status.d/%s", entry->d_name);
      has_any |= append_file (path, status, "\nStatus: install ok installed\n\n");
    }
  if (directory != NULL)
    (void) closedir (directory);
  return has_any;
}

static void
read_packages (void)
{
  FILE *file = fopen (PROBE "/var/lib/dpkg/status", "re");
  char *line = NULL;
  size_t room = 0;
  char name[256] = "";

  while (file != NULL && getline (&line, &room, file) >= 0)
    {
      line[strcspn (line, "\n")] = '\0';
      if (strncmp (line, "Package: ", 9) == 0)
        (void) snprintf (name, sizeof name, "%s", line + 9);
      else if (strncmp (line, "Version: ", 9) == 0 && name[0] != '\0')
        add (&packages, name, line + 9, NULL);
    }
  free (line);
  if (file != NULL)
    (void) fclose (file);
}

/* The documents: what is needed of each definition and of what it refers to. */

static const char *
attribute (xmlTextReaderPtr reader, const char *name, char buffer[256])
{
  xmlChar *value = xmlTextReaderGetAttribute (reader, (const xmlChar *) name);

  (void) snprintf (buffer, 256, "%s", value != NULL ? (const char *) value : "");
  xmlFree (value);
  return buffer;
}

static void
read_text (xmlTextReaderPtr reader, char *buffer, size_t size)
{
  xmlChar *text = xmlTextReaderReadString (reader);

  (void) snprintf (buffer, size, "%s", text != NULL ? (const char *) text : "");
  xmlFree (text);
}

typedef struct
{
  char id[256]; /* of the definition, test, object or state that we are in */
  char title[256];
  char cve[256];
  char severity[32];
  char object[256];
} Place;

static void
enter_element (xmlTextReaderPtr reader, const char *name, Place *place)
{
  char value[256];

  if (strcmp (name, "definition") == 0 || strcmp (name, "dpkginfo_test") == 0
      || strcmp (name, "dpkginfo_object") == 0 || strcmp (name, "dpkginfo_state") == 0)
    {
      *place = (Place){ .id = "" };
      (void) attribute (reader, "id", place->id);
    }
  else if (strcmp (name, "title") == 0)
    read_text (reader, place->title, sizeof place->title);
  else if (strcmp (name, "severity") == 0)
    read_text (reader, place->severity, sizeof place->severity);
  else if (strcmp (name, "reference") == 0 && place->cve[0] == '\0')
    (void) attribute (reader, "ref_id", place->cve);
  else if (strcmp (name, "object") == 0 && attribute (reader, "object_ref", value)[0] != '\0')
    (void) snprintf (place->object, sizeof place->object, "%s", value);
  else if (strcmp (name, "state") == 0 && attribute (reader, "state_ref", value)[0] != '\0'
           && place->object[0] != '\0')
    add (&tests, place->id, place->object, value);
  else if (strcmp (name, "name") == 0 && place->id[0] != '\0')
    {
      read_text (reader, value, sizeof value);
      add (&objects, place->id, value, NULL);
    }
  else if (strcmp (name, "evr") == 0)
    {
      read_text (reader, value, sizeof value);
      add (&states, place->id, value, NULL);
    }
}

static void
leave_definition (Place *place)
{
  add (&definitions, place->id, place->title, place->cve);
  add (&levels, place->id, place->severity, NULL);
  *place = (Place){ .id = "" };
}

static void
read_document (const char *path)
{
  xmlTextReaderPtr reader = xmlReaderForFile (path, NULL, XML_PARSE_NONET);
  Place place = { .id = "" };
  int r;

  if (reader == NULL)
    fail ("%s: cannot be read", path);
  while ((r = xmlTextReaderRead (reader)) == 1)
    {
      const char *name = (const char *) xmlTextReaderConstLocalName (reader);

      if (xmlTextReaderNodeType (reader) == XML_READER_TYPE_ELEMENT)
        enter_element (reader, name, &place);
      else if (xmlTextReaderNodeType (reader) == XML_READER_TYPE_END_ELEMENT
               && strcmp (name, "definition") == 0)
        leave_definition (&place);
    }
  xmlFreeTextReader (reader);
  if (r != 0)
    fail ("%s: is no well-formed document", path);
}

static void
run_oscap (const char *path)
{
  static char *const environment[]
      = { "OSCAP_PROBE_ROOT=" PROBE, "HOME=/tmp", "PATH=/usr/bin", NULL };
  char *const words[] = { "oscap",    "oval",      "eval",  "--skip-validation", "--directives",
                          DIRECTIVES, "--results", RESULTS, (char *) path,       NULL };
  posix_spawn_file_actions_t actions;
  int status = 0;
  pid_t pid;

  /* Its words are not a verdict's. */
  (void) posix_spawn_file_actions_init (&actions);
  (void) posix_spawn_file_actions_adddup2 (&actions, STDERR_FILENO, STDOUT_FILENO);
  (void) unlink (RESULTS);
  if (posix_spawn (&pid, "/usr/bin/oscap", &actions, NULL, words, environment) != 0)
    fail ("oscap cannot be started");
  if (waitpid (pid, &status, 0) != pid || !WIFEXITED (status) || WEXITSTATUS (status) != 0)
    fail ("oscap: failed on %s", path);
}

/* The results: definitions that hold, and of those the tests that do. */

static int
severity_of (const char *definition)
{
  const Entry *entry = find (&levels, definition);

  for (int i = 0; entry != NULL && severities[i] != NULL; i++)
    if (strcasecmp (entry->first, severities[i]) == 0)
      return i;
  /* Words of some distributions; who says nothing is taken for the middle. */
  if (entry != NULL && strcasecmp (entry->first, "important") == 0)
    return 2;
  return 1;
}

static void
add_finding (const char *definition_id, const char *test_id)
{
  const Entry *definition = find (&definitions, definition_id);
  const Entry *test = find (&tests, test_id);
  const Entry *object = test != NULL ? find (&objects, test->first) : NULL;
  const Entry *state = test != NULL ? find (&states, test->second) : NULL;
  const Entry *package = object != NULL ? find (&packages, object->first) : NULL;

  /* Of the tests of a definition some ask for the release of the distribution. */
  if (definition == NULL || package == NULL || state == NULL)
    return;
  findings = grow (findings, finding_count + 1, sizeof *findings);
  findings[finding_count++]
      = (Finding){ .severity = severity_of (definition_id),
                   .id = definition->second[0] != '\0' ? definition->second : definition->key,
                   .package = package->key,
                   .installed = package->first,
                   .fixed = state->first,
                   .title = definition->first };
}

static void
read_results (void)
{
  xmlTextReaderPtr reader = xmlReaderForFile (RESULTS, NULL, XML_PARSE_NONET);
  char definition[256] = "";
  char value[256];
  int r = -1;

  while (reader != NULL && (r = xmlTextReaderRead (reader)) == 1)
    {
      const char *name = (const char *) xmlTextReaderConstLocalName (reader);

      if (xmlTextReaderNodeType (reader) != XML_READER_TYPE_ELEMENT)
        continue;
      if (strcmp (name, "definition") == 0 && attribute (reader, "definition_id", value)[0] != '\0')
        {
          (void) snprintf (definition, sizeof definition, "%s", value);
          attribute (reader, "result", value);
          if (strcmp (value, "error") == 0)
            fail ("oscap could not evaluate %s", definition);
          if (strcmp (value, "true") != 0)
            definition[0] = '\0';
        }
      else if (strcmp (name, "criterion") == 0 && definition[0] != '\0'
               && strcmp (attribute (reader, "result", value), "true") == 0)
        add_finding (definition, attribute (reader, "test_ref", value));
    }
  if (r != 0)
    fail ("oscap's results cannot be read");
  xmlFreeTextReader (reader);
}

/* The verdict. */

static void
put_text (FILE *out, const char *name, const char *text)
{
  size_t bytes = 0;

  fprintf (out, "\"%s\":\"", name);
  for (; *text != '\0' && bytes < TEXT_MAX_BYTES; text++, bytes++)
    if (*text == '"' || *text == '\\' || (unsigned char) *text < ' ' || (unsigned char) *text > '~')
      fprintf (out, "\\u%04x", (unsigned char) *text > '~' ? '?' : (unsigned char) *text);
    else
      fputc (*text, out);
  fputc ('"', out);
}

static int
compare_findings (const void *one, const void *other)
{
  const Finding *a = one;
  const Finding *b = other;

  if (a->severity != b->severity)
    return b->severity - a->severity;
  return strcmp (a->id, b->id) != 0 ? strcmp (a->id, b->id) : strcmp (a->package, b->package);
}

static void
put_verdict (int fail_on, bool has_packages)
{
  char *list = NULL;
  size_t bytes = 0;
  FILE *out = open_memstream (&list, &bytes);
  bool is_bad = finding_count > 0;
  size_t told = 0;

  if (out == NULL)
    fail ("no memory");
  qsort (findings, finding_count, sizeof *findings, compare_findings);
  is_bad = is_bad && findings[0].severity >= fail_on;
  for (; told < finding_count && ftell (out) < OUTPUT_MAX_BYTES; told++)
    {
      const Finding *finding = &findings[told];

      fprintf (out, "%s{\"severity\":\"%s\",", told > 0 ? ",\n" : "",
               severities[finding->severity]);
      put_text (out, "id", finding->id);
      fputc (',', out);
      put_text (out, "package", finding->package);
      fputc (',', out);
      put_text (out, "installed", finding->installed);
      fputc (',', out);
      put_text (out, "fixed", finding->fixed);
      fputc (',', out);
      put_text (out, "title", finding->title);
      fputc ('}', out);
    }
  (void) fclose (out);
  printf ("{\"verdict\":\"%s\",\"summary\":\"", is_bad                               ? "fail"
                                                : finding_count > 0 || !has_packages ? "warn"
                                                                                     : "pass");
  if (!has_packages)
    printf ("no database of packages that OpenSCAP could look into");
  else
    printf ("%zu packages, %zu findings", packages.count, finding_count);
  if (told < finding_count)
    printf (", of which the %zu most severe are listed", told);
  printf ("\",\"findings\":[%s]}\n", list);
  free (list);
}

static int
read_severity (const char *word)
{
  for (int i = 0; severities[i] != NULL; i++)
    if (strcmp (word, severities[i]) == 0)
      return i;
  fail ("--fail-on '%s': must be low, medium, high or critical", word);
}

int
main (int argc, char **argv)
{
  int fail_on = argc == 3 && strcmp (argv[1], "--fail-on") == 0 ? read_severity (argv[2]) : 0;
  DIR *directory = opendir (DATA);
  struct dirent *entry;
  size_t documents = 0;
  bool has_packages;

  if (argc != 1 && argc != 3)
    fail ("usage: oscap-verdict [--fail-on SEVERITY]");
  make_directories ();
  has_packages = copy_packages ();
  read_packages ();
  (void) append_file ("/scan/etc/debian_version", PROBE "/etc/debian_version", "");
  (void) append_file ("/scan/etc/os-release", PROBE "/etc/os-release", "");
  (void) append_file (DPKG_TABLES "/cputable", PROBE DPKG_TABLES "/cputable", "");
  (void) append_file (DPKG_TABLES "/tupletable", PROBE DPKG_TABLES "/tupletable", "");
  while (directory != NULL && (entry = readdir (directory)) != NULL)
    {
      char path[512];

      if (entry->d_name[0] == '.')
        continue;
      (void) snprintf (path, sizeof path, DATA "/%s", entry->d_name);
      documents++;
      read_document (path);
      if (!has_packages)
        continue;
      run_oscap (path);
      read_results ();
    }
  if (documents == 0)
    fail ("there is no OVAL document in " DATA " ([scan] data)");
  put_verdict (fail_on, has_packages);
  return fflush (stdout) == 0 ? 0 : 2;
}
