/* SPDX-License-Identifier: Apache-2.0 */
/* Packages: libvirt */
/* libvirt's test driver takes a misspelt element in silence, unless it is told to validate: why
 * every domain is made with validation.  And its default error handler prints unless replaced. */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "assume.h"

static const char domain[] = "<domain type='test'><name>typo</name><memory>65536</memory>"
                             "<os><type>hvm</type></os><memroyBacking><nosharepages/>"
                             "</memroyBacking></domain>";

static void
say_nothing (void *data, virErrorPtr error)
{
  (void) data;
  (void) error;
}

int
main (void)
{
  virConnectPtr connection;
  virDomainPtr taken, refused;

  virSetErrorFunc (NULL, say_nothing);
  connection = virConnectOpen ("test:///default");
  ASSUME (connection != NULL, "the test driver opens without a daemon");
  taken = virDomainDefineXMLFlags (connection, domain, 0);
  ASSUME (taken != NULL, "a misspelt element is taken");
  refused = virDomainDefineXMLFlags (connection, domain, VIR_DOMAIN_DEFINE_VALIDATE);
  ASSUME (refused == NULL, "validation refuses it");
  ASSUME (strchr (virGetLastErrorMessage (), '\n') != NULL
              || strlen (virGetLastErrorMessage ()) > 0,
          "the refusal has words");
  (void) virDomainFree (taken);
  (void) virConnectClose (connection);
  return 0;
}
