/* SPDX-License-Identifier: Apache-2.0 */
/* redteam-probe: tries to leave the container that it is in, and prints what it met.
 *
 *   redteam-probe [--json] [--profile strict|standard] [FAMILY|ID...]
 *   redteam-probe --list
 *   redteam-probe --neighbour      be what the family `neighbours` looks for, until killed
 *
 * One line for each probe: id, verdict, what was observed, with tabs between.  The verdicts:
 *   refused    as it must be
 *   permitted  it succeeded, and the profile permits it
 *   reached    it failed, but not by the refusal that was expected: another layer answered
 *   BREACH     it succeeded
 *   untried    the attempt could not be made
 * Exit status: 0 when all is refused or permitted, 1 otherwise, 2 for a wrong argument.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

static const DnFamily *const families[]
    = { &dn_namespaces, &dn_mounts,  &dn_procfs,  &dn_devices,    &dn_keyrings,   &dn_surfaces,
        &dn_sockets,    &dn_tracing, &dn_kernel,  &dn_abi,        &dn_terminal,   &dn_descriptors,
        &dn_cgroups,    &dn_links,   &dn_ipc,     &dn_neighbours, &dn_privileges, &dn_bombs,
        &dn_guest,      &dn_share,   &dn_networks };

typedef struct
{
  bool is_list;
  bool is_json;
  bool is_standard;
  char **words;
  int tried;
  int bad;
} Run;

static bool
is_wanted (const Run *run, const DnFamily *family, const DnProbe *probe)
{
  /* The guest's root has probes of its own, and asks for them by name; so does who has a card. */
  if (run->words[0] == NULL)
    return (family != &dn_guest && family != &dn_share && family != &dn_networks) || run->is_list;
  for (char **word = run->words; *word != NULL; word++)
    if (strcmp (*word, probe->id) == 0 || strcmp (*word, family->name + strlen ("dn_")) == 0)
      return true;
  return false;
}

static const char *
accepted_of (const Run *run, const DnProbe *probe)
{
  return run->is_standard && probe->standard != NULL ? probe->standard : probe->accepted;
}

static void
print_line (const Run *run, const DnProbe *probe, const char *verdict, const char *observed)
{
  const char *accepted = accepted_of (run, probe);

  if (run->is_json)
    printf ("%s{\"id\":\"%s\",\"verdict\":\"%s\",\"observed\":\"%s\",\"demand\":\"%s\","
            "\"technique\":\"%s\",\"accepted\":\"%s\"}",
            run->tried > 1 ? ",\n" : "[\n", probe->id, verdict, observed, probe->demand,
            probe->technique, accepted);
  else if (run->is_list)
    printf ("%s\t%s\t%s\t%s\n", probe->id, probe->demand, accepted, probe->technique);
  else
    printf ("%s\t%s\t%s\n", probe->id, verdict, observed);
  (void) fflush (stdout);
}

static void
take_probe (Run *run, const DnProbe *probe)
{
  const char *verdict = "listed";
  const char *observed = "";

  run->tried++;
  if (!run->is_list)
    {
      int seen = dn_probe_run (probe);

      observed = dn_seen_name (seen);
      verdict = dn_verdict (accepted_of (run, probe), seen);
      run->bad += strcmp (verdict, "refused") != 0 && strcmp (verdict, "permitted") != 0;
    }
  print_line (run, probe, verdict, observed);
}

static int
usage (void)
{
  fprintf (stderr, "usage: redteam-probe [--list] [--json] [--profile strict|standard] "
                   "[FAMILY|ID...]\n       redteam-probe --neighbour\n");
  return 2;
}

int
main (int argc, char **argv)
{
  Run run = { .words = argv + 1 };

  for (; *run.words != NULL && strncmp (*run.words, "--", 2) == 0; run.words++)
    if (strcmp (*run.words, "--list") == 0)
      run.is_list = true;
    else if (strcmp (*run.words, "--json") == 0)
      run.is_json = true;
    else if (strcmp (*run.words, "--neighbour") == 0 && argc == 2)
      return dn_neighbour_be ();
    else if (strcmp (*run.words, "--profile") == 0 && run.words[1] != NULL)
      {
        run.is_standard = strcmp (*++run.words, "standard") == 0;
        if (!run.is_standard && strcmp (*run.words, "strict") != 0)
          return usage ();
      }
    else
      return usage ();

  for (size_t f = 0; f < sizeof families / sizeof *families; f++)
    for (size_t i = 0; i < families[f]->count; i++)
      if (is_wanted (&run, families[f], &families[f]->probes[i]))
        take_probe (&run, &families[f]->probes[i]);
  if (run.tried == 0)
    return usage ();
  if (run.is_json)
    printf ("\n]\n");
  return run.bad > 0;
}
