# Tests: how each part is built and run.  docs/development.md says what the parts are.
#
# A part ends with a tally in build/check/PART.tally; `make check` runs all parts, adds the tallies
# up and prints the sum as its last line.  The rules of tests in C come from comments in the tests:
# see tests/tools/test-rules.py.

# Seconds for each fuzz target, and how many run at a time.
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 2
CHAOS_ROUNDS ?= 20
BENCH_RUNS ?= 10
# FILES:BYTES of the large image, 300000:2147483648 for the whole one, or none.
BENCH_LARGE ?=

FUZZ_CC := clang
FUZZ_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DDN_VERSION='"$(VERSION)"' -DDN_PREFIX='"$(PREFIX)"' \
               -DDN_FUZZING=1 -O1 -g -fno-omit-frame-pointer \
               -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

PROBE_CFLAGS := -std=gnu17 -D_GNU_SOURCE $(WARN) $(FLAGS.release) -fPIE -static-pie

# The parts, in groups that run one after the other; in a group, those joined by + run beside each
# other, and those joined by a comma in turn.
# What has no deadline goes beside what waits a lot; scale measures, and the lab takes all processors.
CHECK_PLAN := unit scale agent,network,shim,secrets,asan,cri,e2e+kernel,fuzz compat+redteam lab

# What makes guests does so in a cell, where it sees only its own.
CELL := ./tests/tools/cell.sh

# Where the C tests find the tree's build; relative paths are from the top, where tests run.
export DN_TEST_BUILD := $(TOP)/$(B)

# Only for the goals that need the rules: writing them takes python3, which `deps` may yet install.
ifneq ($(filter tests-%,$(MAKECMDGOALS)),)
$(shell ./tests/tools/test-rules.py $(B) >&2)
include $(B)/tests/rules.mk
endif

$(B)/fuzz/%.o: %.c $(FLAGS_FILE) | deps
	@mkdir -p $(@D)
	$(call say,FUZZ,$<)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# The globs in the comments that test-rules.py reads look like the start of another comment.
$(B)/host/tests/%.o $(B)/fuzz/tests/%.o: CPPFLAGS += -Wno-comment
$(B)/host/tests/%.o: CPPFLAGS += $(call pkg_cflags,$(HOST_PKGS))

$(foreach room,$(DAEMON_ROOMS),$(B)/fuzz/launcher/$(room)/%.o): \
  CPPFLAGS += $(call pkg_cflags,$(DAEMON_PKGS))
$(B)/fuzz/launcher/cli/%.o $(B)/fuzz/launcher/common/%.o $(B)/fuzz/launcher/record/%.o \
  $(B)/fuzz/launcher/report/%.o $(B)/fuzz/launcher/survey/%.o $(B)/fuzz/launcher/intake/%.o: \
  CPPFLAGS += $(call pkg_cflags,$(HOST_PKGS))

# A test that cannot be built fails by itself and keeps no other from running: hence -k and `true`.
BUILD_TESTS = $(MAKE) --no-print-directory -k -j$(shell nproc) MODE=$(MODE)
PART = $(if $(filter asan,$(MODE)),asan-)

# Nothing in them differs by MODE.
UNIT_SCRIPTS := $(if $(filter release,$(MODE)),$(wildcard tests/unit/test-*.py))

.PHONY: tests-build-unit tests-build-agent tests-build-fuzz tests-run-unit tests-run-agent \
        tests-run-fuzz
tests-build-unit: $(UNIT_TESTS)
tests-build-agent: $(AGENT_TESTS) $(AGENT_HELPERS) $(B)/guest/bin/danchi-agent $(B)/bin/danchi-relay \
  $(B)/guest/bin/danchi-keeper $(B)/bin/danchi-intake
tests-build-fuzz: $(FUZZ_TARGETS)
tests-run-unit:
	@./tests/tools/run-tap.py $(PART)unit $(UNIT_TESTS) $(UNIT_SCRIPTS)
tests-run-agent:
	@CELL_LIBVIRT=no $(CELL) ./tests/tools/run-tap.py $(PART)agent --jobs 1 --timeout 300 $(AGENT_TESTS)
tests-run-fuzz:
	@./tests/tools/run-fuzz.py --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(FUZZ_TARGETS)

.PHONY: check
check: deps  ## all tests; ends with "N passed, N failed, N skipped"
	@./tests/tools/check.py $(CHECK_PLAN)

.PHONY: check-unit
check-unit: deps images  ## unit, golden and platform tests: no root, no guest
	+@$(BUILD_TESTS) tests-build-unit || true
	@$(MAKE) --no-print-directory MODE=$(MODE) tests-run-unit

.PHONY: check-agent
check-agent: deps  ## the real agent and relay as processes of this machine; needs root
	+@$(BUILD_TESTS) tests-build-agent || true
	@$(MAKE) --no-print-directory MODE=$(MODE) tests-run-agent

# Programs of the host's network between network namespaces that the tests make; danchi-share and
# virtiofsd, to which a test is QEMU with a hostile guest in it.
NETWORK_TESTS := $(wildcard tests/network/test-*.py tests/share/test-*.py)

# Real servers for them, unpacked and not installed: nothing of them starts with the machine.
REAL_SERVERS := build/network/servers.made
$(REAL_SERVERS): tests/images/rootfs.sh | deps
	@rm -rf build/network/servers
	./tests/images/rootfs.sh build/network/servers nginx-light redis-server redis-tools unbound
	@touch $@

.PHONY: tests-build-network tests-run-network
tests-build-network: $(HOST_PROGRAMS) $(REAL_SERVERS)
tests-run-network:
	@CELL_LIBVIRT=no $(CELL) ./tests/tools/run-tap.py network --jobs 1 --timeout 300 $(NETWORK_TESTS)

.PHONY: check-network
check-network: deps  ## the programs with the network, between namespaces of this machine; needs root
	+@$(BUILD_TESTS) tests-build-network || true
	@$(MAKE) --no-print-directory MODE=$(MODE) tests-run-network

# The shim between a containerd and a danchid that are the test's.
.PHONY: tests-run-shim
tests-run-shim:
	@CELL_LIBVIRT=no $(CELL) ./tests/tools/run-tap.py shim --jobs 1 --timeout 300 $(wildcard tests/shim/test-*.py)

.PHONY: check-shim
check-shim: deps  ## containerd's shim against a client and a danchid of the test's; needs root
	+@$(BUILD_TESTS) $(B)/bin/containerd-shim-danchi-v2 || true
	@$(MAKE) --no-print-directory MODE=$(MODE) tests-run-shim

.PHONY: check-asan
check-asan: deps  ## unit and agent tests under ASan and UBSan
	@./tests/tools/check.py --name asan asan-unit asan-agent

.PHONY: check-asan-unit check-asan-agent
check-asan-unit check-asan-agent:
	@$(MAKE) --no-print-directory MODE=asan $(subst asan-,,$@)

.PHONY: check-fuzz
check-fuzz: deps  ## fuzz targets, FUZZ_SECONDS=60 each
	+@./tests/tools/priority.py $(BUILD_TESTS) tests-build-fuzz || true
	@$(MAKE) --no-print-directory tests-run-fuzz

# Images for the tests, of Debian packages; they do not depend on MODE.
TEST_IMAGES := build/test-images/busybox.tar build/test-images/busybox-oci.tar

.PHONY: test-images
test-images: $(TEST_IMAGES)

build/test-images/busybox.tar: $(wildcard tests/images/*) | deps
	@mkdir -p $(@D)
	./tests/images/build.sh busybox $@ docker
build/test-images/busybox-oci.tar: $(wildcard tests/images/*) | deps
	@mkdir -p $(@D)
	./tests/images/build.sh busybox $@ oci
build/test-images/nginx.tar: $(wildcard tests/images/*) | deps
	@mkdir -p $(@D)
	./tests/images/build.sh nginx $@ docker
build/test-images/openscap.tar: $(wildcard tests/images/* config/scan/*) | deps  ## a scanner: OpenSCAP
	@mkdir -p $(@D)
	./tests/images/build.sh openscap $@ docker

# A build tree whose guest has a mortal agent (tests/e2e/mortal.c): only the chaos tests start it.
MORTAL := $(B)/mortal
MORTAL_OBJS := $(call guest_objs,$(AGENT_SRC) $(PROTOCOL_SRC) tests/e2e/mortal.c)

$(MORTAL)/danchi-agent: $(MORTAL_OBJS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) -o $@ $^ -ljansson $(LDLIBS)

$(MORTAL)/images/guest.erofs $(MORTAL)/images/guest.verity &: $(GUEST_ROOT) $(B)/guest/bin/init $(MORTAL)/danchi-agent
	@mkdir -p $(@D)
	images/guest-root.sh guest $(B)/guest/bin/init $(MORTAL)/danchi-agent - $(@D)/guest.erofs

$(MORTAL)/build-tree: $(MORTAL)/images/guest.erofs $(HOST_PROGRAMS) $(IMAGES) $(B)/build-tree
	mkdir -p $(MORTAL)/bin
	cp $(HOST_PROGRAMS) $(MORTAL)/bin/
	cp $(COMMON_IMAGES) $(MORTAL)/images/
	ln -sfn ../../images/tuned $(MORTAL)/images/tuned
	cp $(B)/build-tree $@

# More build trees whose agent has a file of tests/e2e/ linked in: build/variant/NAME for NAME.c.
VARIANTS := witness flood panic elder
VARIANT_TREES := $(VARIANTS:%=$(B)/variant/%/build-tree)

$(B)/variant/flood/danchi-agent: VARIANT_LDFLAGS := -Wl,--wrap=dn_channel_flush
$(B)/variant/elder/danchi-agent: VARIANT_LDFLAGS := -Wl,--wrap=dn_link_choose_generation

$(B)/variant/%/danchi-agent: $(call guest_objs,$(AGENT_SRC) $(PROTOCOL_SRC)) $(B)/guest/tests/e2e/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) $(VARIANT_LDFLAGS) -o $@ $^ -ljansson $(LDLIBS)

$(B)/variant/%/images/guest.erofs $(B)/variant/%/images/guest.verity: \
  $(GUEST_ROOT) $(B)/guest/bin/init $(B)/variant/%/danchi-agent
	@mkdir -p $(@D)
	images/guest-root.sh guest $(B)/guest/bin/init $(B)/variant/$*/danchi-agent - $(@D)/guest.erofs

$(B)/variant/%/build-tree: $(B)/variant/%/images/guest.erofs $(HOST_PROGRAMS) $(IMAGES) $(B)/build-tree
	mkdir -p $(@D)/bin
	cp $(HOST_PROGRAMS) $(@D)/bin/
	cp $(COMMON_IMAGES) $(@D)/images/
	ln -sfn ../../../images/tuned $(@D)/images/tuned
	cp $(B)/build-tree $@

.SECONDARY: $(VARIANTS:%=$(B)/guest/tests/e2e/%.o)
.PRECIOUS: $(B)/variant/%/danchi-agent $(B)/variant/%/images/guest.erofs \
  $(B)/variant/%/images/guest.verity

# A build tree whose agent, danchid and relay leave out one control each, chosen at run time
# (tests/verify): only the tests of verify start it.
FAULTY := $(B)/faulty
comma := ,
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
FAULTY_AGENT_WRAPS := dn_config_read dn_readback_check dn_child_drop_capabilities \
  dn_child_forbid_new_privileges dn_child_load_filter dn_child_close_others \
  dn_child_close_at_exec dn_child_set_up_namespaces dn_child_mount_all dn_child_hide_paths \
  dn_cgroup_make dn_mapper_read setns setgroups setresuid setresgid
FAULTY_RELAY_WRAPS := dn_filter_load capng_change_id unshare setrlimit close_range pread
FAULTY_DANCHID_WRAPS := dn_hypervisor_start g_spawn_async_with_pipes_and_fds

$(FAULTY)/danchi-agent: $(call guest_objs,$(AGENT_SRC) $(PROTOCOL_SRC) tests/verify/faulty-agent.c)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(GUEST_CFLAGS) $(GUEST_LDFLAGS) $(call wrap,$(FAULTY_AGENT_WRAPS)) -o $@ $^ \
	  -ljansson $(LDLIBS)

$(FAULTY)/bin/danchid: $(call host_objs,$(DAEMON_SRC) $(COMMON_SRC) $(BASE_SRC) $(PROTOCOL_SRC) \
  tests/verify/faulty-danchid.c)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) $(call wrap,$(FAULTY_DANCHID_WRAPS)) -o $@ $^ \
	  $(call pkg_libs,$(DAEMON_PKGS)) -lacl $(LDLIBS)

$(FAULTY)/bin/danchi-relay: $(call host_objs,$(RELAY_SRC) $(CONFINED_SRC) $(BASE_SRC) $(PROTOCOL_SRC) \
  tests/verify/faulty-relay.c)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) $(call wrap,$(FAULTY_RELAY_WRAPS)) -o $@ $^ \
	  -lseccomp -lcap-ng $(LDLIBS)

$(FAULTY)/images/guest.erofs $(FAULTY)/images/guest.verity &: $(GUEST_ROOT) $(B)/guest/bin/init $(FAULTY)/danchi-agent
	@mkdir -p $(@D)
	images/guest-root.sh guest $(B)/guest/bin/init $(FAULTY)/danchi-agent - $(@D)/guest.erofs

$(FAULTY)/build-tree: $(FAULTY)/images/guest.erofs $(FAULTY)/bin/danchid $(FAULTY)/bin/danchi-relay \
  $(B)/bin/danchi $(IMAGES) $(B)/build-tree
	cp $(B)/bin/danchi $(FAULTY)/bin/
	cp $(COMMON_IMAGES) $(FAULTY)/images/
	ln -sfn ../../images/tuned $(FAULTY)/images/tuned
	cp $(B)/build-tree $@

include tests/redteam/redteam.mk
include tests/scale/scale.mk

E2E_TREES := $(MORTAL)/build-tree $(VARIANT_TREES) $(FAULTY)/build-tree
# Shares that run beside each other, in cells and in labs; a few chosen tests are not worth two.
E2E_SHARES := $(if $(E2E),1,1 2)
e2e_share = --part $(@:check-%=%) --share $(lastword $(subst -, ,$@))/$(words $(E2E_SHARES))
shares_of = $(subst $() ,+,$(E2E_SHARES:%=$(1)-%))

.PHONY: check-e2e
check-e2e: all test-images build/test-images/openscap.tar $(REAL_SERVERS) $(E2E_TREES)  ## end to end on this machine: emulation and serial, or KVM where it works
	@./tests/tools/check.py --name e2e $(call shares_of,e2e)

.PHONY: check-e2e-1 check-e2e-2
check-e2e-1 check-e2e-2:
	@CHAOS_ROUNDS=$(CHAOS_ROUNDS) $(CELL) ./tests/e2e/run.py $(e2e_share) $(E2E)

.PHONY: check-lab
check-lab: all kernel lab-image test-images $(E2E_TREES)  ## the same tests in the lab: KVM, vsock, libvirt, the tuned kernel
	@./tests/tools/check.py --name lab $(if $(E2E),lab-1,lab-1,lab-cri+lab-2)

.PHONY: check-lab-1 check-lab-2
check-lab-1 check-lab-2:
	@./tests/lab/check.py $(e2e_share) $(E2E)

.PHONY: check-lab-cri
check-lab-cri: all lab-image test-images  ## pods in the lab: a core set of check-cri on KVM and vsock
	@./tests/lab/check.py --script cri.sh --part lab-cri $(CRI)

# Beside what waits a lot: it builds at a lower priority, and the lab needs it.
.PHONY: check-kernel
check-kernel: deps
	@./tests/tools/check-kernel.py

# Pods: Debian's containerd and CNI plug-ins, driven as kubelet does.  CRI=--runtime=runc tests the tests;
# CRI='--programs build/cri/trixie/usr/bin' takes 1.7, forky 2.1.
CRI ?=
build/cri/%/usr/bin/containerd: tests/cri/fetch-containerd.sh | deps
	./tests/cri/fetch-containerd.sh $* build/cri/$*

.PHONY: check-cri
check-cri: all test-images build/test-images/nginx.tar  ## pods through containerd's CRI socket (CRI='WORDS' or --runtime=runc)
	@E2E_PATIENCE=$${E2E_PATIENCE:-2} $(CELL) ./tests/cri/run.py $(CRI)

.PHONY: check-chaos
check-chaos: all test-images $(MORTAL)/build-tree  ## kill -9 of everything, 200 rounds
	@CHAOS_ROUNDS=200 $(CELL) ./tests/e2e/run.py --part chaos chaos

# Programs for the compatibility test: COMPAT='nginx git', COMPAT=all, or those that CI has time for.
COMPAT ?=
COMPAT_QUICK := nginx redis browser memcached haproxy python3 git
COMPAT_ALL := $(COMPAT_QUICK) nodejs openjdk postgresql mariadb
# The image of a program that is there in another way, too.
COMPAT_IMAGES := $(patsubst %-on-a-volume,%,$(COMPAT:%-as-root=%))
COMPAT_CHOSEN := $(if $(filter all,$(COMPAT)),$(COMPAT_ALL),$(COMPAT_IMAGES))
COMPAT_NAMES := $(if $(COMPAT),$(COMPAT_CHOSEN),$(COMPAT_QUICK))

build/compat/%.tar: $(wildcard tests/compat/*.sh tests/compat/browser.html tests/compat/work* tests/compat/Work*) \
  $(wildcard tests/images/*) | deps
	@mkdir -p $(@D)
	./tests/compat/build.sh $* $@

.PHONY: check-compat
check-compat: all $(COMPAT_NAMES:%=build/compat/%.tar)  ## real programs do real work (COMPAT=all: the heavy ones too)
	@$(CELL) ./tests/compat/run.py $(COMPAT)

.PHONY: lab-image
lab-image: deps
	@./tests/lab/build.sh build/lab

.PHONY: lab
lab: lab-image  ## runs SCRIPT=... as root inside the KVM lab (ARGS=...)
	@test -n '$(SCRIPT)' || { echo 'usage: make lab SCRIPT=path [ARGS=...]' >&2; exit 2; }
	@./tests/lab/lab.py $(SCRIPT) $(ARGS)

# Other runtimes, which nothing else needs; where they cannot be had, the bench says so.
.PHONY: bench-deps
bench-deps: deps
	-@./tests/tools/deps.sh deps-bench.txt

.PHONY: bench
bench: all host test-images bench-deps $(SCALE)/build-tree  ## the benchmark tables, medians of BENCH_RUNS=10 runs
	@./tests/bench/bench.py --runs $(BENCH_RUNS)
	@CELL_LIBVIRT=no $(CELL) ./tests/scale/scale.py --bench --runs $(BENCH_RUNS)
	@$(CELL) ./tests/bench/images.py --large "$(BENCH_LARGE)"
	@$(CELL) ./tests/bench/network.py
	@$(CELL) ./tests/bench/binds.py
	@$(CELL) ./tests/bench/neighbour.py
	@$(CELL) ./tests/bench/limits.py
	@$(CELL) ./tests/bench/pods.py --runs $(BENCH_RUNS)
	@$(CELL) ./tests/bench/pod_network.py
