/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of this directory share: one assumption in each, about a library or the kernel,
 * that the project's code rests on.  When one fails after an upgrade, the code that names it is to
 * be read again.  Exit status: 0 it holds, 1 it does not, 77 it cannot be tried here. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define ASSUME(condition, ...)                                                                     \
  do                                                                                               \
    {                                                                                              \
      if (!(condition))                                                                            \
        {                                                                                          \
          (void) fprintf (stderr, "does not hold: " __VA_ARGS__);                                  \
          (void) fprintf (stderr, " (%s:%d)\n", __FILE__, __LINE__);                               \
          exit (1);                                                                                \
        }                                                                                          \
    }                                                                                              \
  while (0)

#define SKIP(...)                                                                                  \
  do                                                                                               \
    {                                                                                              \
      (void) fprintf (stderr, __VA_ARGS__);                                                        \
      (void) fprintf (stderr, "\n");                                                               \
      exit (77);                                                                                   \
    }                                                                                              \
  while (0)
