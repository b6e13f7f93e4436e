/* SPDX-License-Identifier: Apache-2.0 */
/* Only: release (a sanitizer changes how much stack there is) */
/* json-glib crashes on deep nesting: why DN_JSON_DEPTH_MAX is checked before it sees a byte. */
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "assume.h"

#define DEPTH 100000

int
main (void)
{
  const struct rlimit no_core = { 0, 0 };
  int status;
  pid_t pid;

#if defined(__SANITIZE_ADDRESS__)
  SKIP ("the sanitizer changes how much stack there is");
#endif
  pid = fork ();
  ASSUME (pid >= 0, "fork works");
  if (pid == 0)
    {
      JsonParser *parser = json_parser_new ();
      char *text = g_malloc (2 * DEPTH);

      (void) setrlimit (RLIMIT_CORE, &no_core);
      memset (text, '[', DEPTH);
      memset (text + DEPTH, ']', DEPTH);
      (void) json_parser_load_from_data (parser, text, 2 * DEPTH, NULL);
      _exit (0);
    }
  ASSUME (waitpid (pid, &status, 0) == pid, "the child ends");
  ASSUME (WIFSIGNALED (status), "100,000 nested brackets end json-glib");
  return 0;
}
