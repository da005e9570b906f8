# fcgipm: `make help` lists the targets.  A layer is a folder below fcgipm/, a role is a layer with a main.c; files are found by their folder.
BUILD ?= build
# Always by the same name, or what was built under the other one would not know what it depends on.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
ifeq ($(origin CC),default)
CC = gcc
endif
prefix ?= /usr/local
DESTDIR ?=
unitdir ?= $(prefix)/lib/systemd/system
moduledir ?= $(prefix)/lib/httpd/modules
T ?=
JOBS ?= $(shell nproc)
# V=1 shows the commands themselves.
Q = $(if $(V),,@)
say = $(if $(or $(V),$(findstring s,$(firstword -$(MAKEFLAGS)))),@:,@printf '  %-5s %s\n' $(1) $(2))

WARN = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wcast-qual -Wsign-compare -Wpointer-arith $(if $(WERROR),-Werror)
HARDEN ?= -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong
CFLAGS ?= -g
ALL_CFLAGS = -std=gnu2x -D_GNU_SOURCE -I. -fPIE $(WARN) $(HARDEN) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

LAYERS = base wire fcgi spec settings pool probe priv broker start launcher look retire conf manager client view import status cli
ROLES = launcher look retire conf manager status
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard fcgipm/$(1)/*.c))
archive = $(BUILD)/lib/$(1).a
archives = $(foreach l,$(1),$(call archive,$(l)))

# What a role links beside its own folder: the layers that fcgipm/LAYERS permits it, and its libraries.
USES_launcher = broker probe priv spec wire base
LIBS_launcher = -lcap
USES_look = priv spec wire base
LIBS_look = -lcap
USES_retire = probe base
LIBS_retire =
USES_conf = settings spec wire base
LIBS_conf = -lyaml
USES_manager = pool probe settings spec wire base
LIBS_manager = -levent_core
USES_status = view client wire base
LIBS_status = -lfcgi
USES_cli = import view client settings spec fcgi wire base
LIBS_cli = -lncursesw
ALL_LIBS = -lyaml -levent_core -lcap -lncursesw

STARTER = $(BUILD)/libexec/fcgipm/fcgipm-start
PROGRAMS = $(BUILD)/bin/fcgipm $(ROLES:%=$(BUILD)/libexec/fcgipm/fcgipm-%) $(STARTER)
LIBRARY = $(BUILD)/lib/fcgipm/libfcgipm-prefork.so
CLIENT = $(BUILD)/lib/libfcgipm.so.0
MODULE = $(BUILD)/lib/httpd/modules/mod_fcgipm.so
UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*/test_*.c))
FUZZ_NAMES = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
APPS = $(patsubst tests/integration/apps/%.c,$(BUILD)/tests/apps/%,$(wildcard tests/integration/apps/*.c))
BENCH = $(patsubst %.c,$(BUILD)/%,$(filter-out tests/bench/mod_%,$(wildcard tests/bench/*.c))) $(BUILD)/tests/modules/mod_big.so
MODULES = $(patsubst tests/integration/modules/%.c,$(BUILD)/tests/modules/%.so,$(wildcard tests/integration/modules/*.c))
HOSTILE = $(patsubst tests/integration/hostile/%.c,$(BUILD)/tests/hostile/%,$(wildcard tests/integration/hostile/*.c))

.PHONY: all help run check check-unit check-fuzz check-integration tests asan fuzz soak bench sim cover lint format docs deps accounts install clean
.SECONDARY:

all: $(PROGRAMS) $(MODULE) $(LIBRARY) $(CLIENT) ## Build everything (the default)

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' Makefile

# ---- building ----

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

define layer_rule
$(call archive,$(1)): $(filter-out %/main.o,$(call objects,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$(filter %.o,$$^)
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$(l))))

# The httpd module: the same layers once more as position-independent code, with nothing to be seen from outside but the module itself.
apxs ?= apxs2
PIC_LAYERS = client fcgi wire base
HTTPD_CFLAGS = -isystem $(shell $(apxs) -q INCLUDEDIR) -isystem $(shell $(apxs) -q APR_INCLUDEDIR) $(shell $(apxs) -q EXTRA_CPPFLAGS)

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$< '(pic)')
	$(Q)$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -fvisibility=hidden $(if $(filter mod_fcgipm/%,$<),$(HTTPD_CFLAGS)) -MMD -MP -c $< -o $@

$(MODULE): $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard mod_fcgipm/*.c $(PIC_LAYERS:%=fcgipm/%/*.c)))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter-out -pie,$(ALL_LDFLAGS)) -shared -o $@ $^

# include/fcgipm/client.h as a library for other frontends: these functions are all that it shows.
$(BUILD)/pic/api-export.o: fcgipm/client/api.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -fvisibility=hidden -DFCGIPM_EXPORT -MMD -MP -c $< -o $@

$(CLIENT): $(BUILD)/pic/api-export.o $(patsubst %.c,$(BUILD)/pic/%.o,$(wildcard fcgipm/client/broker.c fcgipm/client/control.c fcgipm/client/lease.c fcgipm/wire/*.c fcgipm/base/*.c))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter-out -pie,$(ALL_LDFLAGS)) -shared -Wl,-soname,$(@F) -o $@ $^

# What is preloaded into applications: no C library of its own, so that it fits to any, and no protection that would call one.
PRELOAD_CFLAGS = -std=gnu2x -D_GNU_SOURCE -I. -O2 -g -fPIC -fvisibility=hidden -ffreestanding -fno-stack-protector -fno-sanitize=all -U_FORTIFY_SOURCE $(if $(findstring aarch64,$(shell $(CC) -dumpmachine)),-mno-outline-atomics) $(WARN) -Wno-missing-prototypes -Wno-address
$(LIBRARY): $(wildcard fcgipm/prefork/*.[ch]) include/fcgipm/board.h
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(PRELOAD_CFLAGS) -shared -nostdlib -Wl,-z,lazy,-z,relro,-z,noexecstack,-soname,$(@F) -o $@ $(filter %.c,$^)

# What every start begins with: static and small, since each start pays for each of its pages.  By musl, whose start-up is a tenth of glibc's; START_CC=gcc does as well, but more slowly, and glibc's looks at GLIBC_TUNABLES.
# No sanitizers: its environment is another's; for which it is static above all.
# Position-independent, so that the kernel can put it wherever it likes: near its stack, where nothing is strewn at random (priv/spawn.c).  It relocates itself on the page that it writes anyway: what the C library writes when it
# begins comes first (-lc, before our own objects), so that this, .data and the job's beginning share one; each page that is written is 0.6 % of a start (docs/measured.md).
MULTIARCH = $(shell $(CC) -print-multiarch)
MUSL = /usr/lib/$(subst -gnu,-musl,$(MULTIARCH))
START_CC ?= musl-gcc
START_CFLAGS = -std=gnu2x -D_GNU_SOURCE -I. -idirafter /usr/include -idirafter /usr/include/$(MULTIARCH) -O2 -g -fPIE -fstack-protector-strong $(WARN) $(START_SANITIZE)
BY_MUSL = -static -nostartfiles $(MUSL)/rcrt1.o $(MUSL)/crti.o $(MUSL)/crtn.o -Wl,-u,__stack_chk_fail -lc -Wl,-pie,--no-dynamic-linker,-z,text
START_LAYOUT ?= $(if $(findstring musl,$(START_CC)),$(BY_MUSL),-static-pie)
START_SOURCES = $(wildcard fcgipm/start/*.c) $(addprefix fcgipm/,priv/jail.c priv/job.c priv/environment.c broker/find.c broker/judge.c wire/dgram.c wire/cursor.c base/fd.c base/slice.c)
$(STARTER): $(START_SOURCES) $(foreach l,start priv broker wire spec base,$(wildcard fcgipm/$(l)/*.h)) $(wildcard include/fcgipm/*.h)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(START_CC) $(START_CFLAGS) $(START_LAYOUT) -Wl,-z,noseparate-code,-z,norelro,-z,noexecstack -o $@.new $(START_SOURCES)
	$(Q)! readelf -lW $@.new | grep INTERP || { echo "fcgipm-start must be linked statically: START_LAYOUT" >&2; exit 1; }
	$(Q)mv $@.new $@

define role_rule
$(2): $(BUILD)/obj/fcgipm/$(1)/main.o $(call archives,$(1) $(USES_$(1)))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(LIBS_$(1))
endef
$(foreach r,$(ROLES),$(eval $(call role_rule,$(r),$(BUILD)/libexec/fcgipm/fcgipm-$(r))))
$(eval $(call role_rule,cli,$(BUILD)/bin/fcgipm))
$(BUILD)/obj/fcgipm/status/assets.o: fcgipm/status/page.css fcgipm/status/page.js

# A unit test may call anything but a main().
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< -Wl,--start-group $(call archives,$(LAYERS)) -Wl,--end-group -lcmocka $(ALL_LIBS)

# The applications that the tests run are no part of us: a sanitizer in them would change how they die.
$(BUILD)/tests/apps/%: tests/integration/apps/%.c
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu2x -D_GNU_SOURCE -g -O1 $(WARN) -o $@ $< -lfcgi

# A module of somebody else's, who has but the header.
$(BUILD)/tests/modules/%.so: tests/integration/modules/%.c include/fcgipm/httpd.h include/fcgipm/client.h
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu2x -D_GNU_SOURCE -I. -g -O1 -fPIC $(WARN) $(HTTPD_CFLAGS) -shared -o $@ $<

$(BUILD)/tests/hostile/%: $(BUILD)/obj/tests/integration/hostile/%.o $(call archives,settings spec wire base)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(call archives,settings spec wire base)

$(BUILD)/tests/bench/%: tests/bench/%.c $(call archives,client wire base)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu2x -D_GNU_SOURCE -I. -O2 $(WARN) -o $@ $< $(call archives,client wire base) -pthread

$(BUILD)/tests/modules/%.so: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu2x -O2 -fPIC -shared $(HTTPD_CFLAGS) -o $@ $<

$(BUILD)/tests/sim/sim: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tests/sim/*.c)) $(call archives,pool base)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(call archives,pool base) -lm

$(BUILD)/tools/reference: $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard tools/reference/*.c)) $(call archives,cli $(USES_cli))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS_cli)

# The corpus is replayed by an ordinary program; libFuzzer's main takes its place in `make fuzz`.
$(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(if $(filter launcher exec,$*),$(addprefix -Wl$(,)--wrap=,$(FUZZ_WRAPS))) -Wl,--start-group $(call archives,$(LAYERS)) -Wl,--end-group -lcmocka $(ALL_LIBS)
# What fuzz_launcher puts in the place of processes.
FUZZ_WRAPS = priv_fork priv_start waitid waitpid wait4 kill socketpair syscall
, := ,

-include $(shell find $(BUILD)/obj $(BUILD)/pic -name '*.d' 2>/dev/null)

# ---- tests ----

tests: all $(BUILD)/tools/reference $(UNIT_TESTS) $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/%) $(APPS) $(MODULES) $(HOSTILE)

check: deps ## Install what is missing, build, run every test
	@$(MAKE) -j$(JOBS) --no-print-directory tests
	@tools/check.sh $(BUILD) unit fuzz integration

check-unit: tests ## The unit tests (T=name picks one)
	@tools/check.sh $(BUILD) unit

check-fuzz: tests ## Replay the corpus of every fuzz target
	@tools/check.sh $(BUILD) fuzz

check-integration: tests ## The tests with real programs (T=name picks some)
	@tools/check.sh $(BUILD) integration

asan: deps ## All tests under AddressSanitizer and UBSan, in build/asan
	@$(MAKE) -j$(JOBS) --no-print-directory tests $(ASAN_FLAGS)
	@ASAN_OPTIONS=detect_leaks=1 tools/check.sh $(BUILD)/asan unit fuzz integration
ASAN_FLAGS = BUILD=$(BUILD)/asan HARDEN='-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined' START_SANITIZE='-fsanitize=undefined -fsanitize-undefined-trap-on-error'

fuzz: ## Fuzz each parser of foreign bytes for FUZZ_SECONDS (60)
	@tools/fuzz.sh $(BUILD) "$(FUZZ_WRAPS)" $(FUZZ_NAMES)

soak: deps ## What takes longer: fuzzing, long hammers, sanitizers, valgrind
	@tools/soak.sh $(BUILD)

bench: deps ## Side by side with the installed peers; medians and conditions
	@tools/deps.sh php-fpm libapache2-mod-fcgid uwsgi-core uwsgi-plugin-python3 wrk fcgiwrap
	@$(MAKE) -j$(JOBS) --no-print-directory tests
	@$(MAKE) -j$(JOBS) --no-print-directory $(BENCH)
	@/usr/bin/python3 tests/bench/bench.py $(BUILD) $(T)

sim: $(BUILD)/tests/sim/sim ## The scaler and those of its peers on simulated traces (POOLS=100000 small sites)
	@$(BUILD)/tests/sim/sim $(POOLS)
POOLS ?= 1000

cover: deps ## Line coverage of the unit and integration tests
	@$(MAKE) -j$(JOBS) --no-print-directory tests BUILD=$(BUILD)/cover HARDEN='-O0 --coverage'
	@tools/check.sh $(BUILD)/cover unit fuzz integration
	@gcovr --root . --filter fcgipm/ $(BUILD)/cover/obj

lint: ## Layers, cycles, function size, format, cppcheck, shellcheck
	@tools/lint.sh

docs: $(BUILD)/tools/reference ## Write anew what is generated: man/fcgipm.yaml.5, man/fcgipm-events.7, conf/pools.schema.json, packaging/completion.bash
	$(BUILD)/tools/reference man >man/fcgipm.yaml.5
	$(BUILD)/tools/reference schema >conf/pools.schema.json
	$(BUILD)/tools/reference completion >packaging/completion.bash
	tools/docs.py man >man/fcgipm-events.7

format: ## Format the sources in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i

# ---- running and installing ----

run: deps ## Build, start the manager and a private httpd on loopback, print the URLs
	@$(MAKE) -j$(JOBS) --no-print-directory all
	@tools/run.sh $(BUILD)

deps: ## Say and install what is missing, by Debian package; make the accounts
	@tools/deps.sh

# What is below /etc is the administrator's: there are examples of that in share/fcgipm.
install: all ## Install below prefix=/usr/local (DESTDIR for packages)
	install -d $(addprefix $(DESTDIR)$(prefix)/,bin libexec/fcgipm lib/fcgipm include/fcgipm share/fcgipm/adapters/fcgipm share/man/man5 share/man/man7 share/man/man8 share/fcgipm share/bash-completion/completions lib/sysusers.d lib/tmpfiles.d) $(DESTDIR)$(unitdir) $(DESTDIR)$(moduledir)
	install -m 755 $(BUILD)/bin/fcgipm $(DESTDIR)$(prefix)/bin/
	install -m 755 $(STARTER) $(ROLES:%=$(BUILD)/libexec/fcgipm/fcgipm-%) $(DESTDIR)$(prefix)/libexec/fcgipm/
	install -m 644 $(MODULE) $(DESTDIR)$(moduledir)/
	install -m 644 $(LIBRARY) $(DESTDIR)$(prefix)/lib/fcgipm/
	install -m 644 $(CLIENT) $(DESTDIR)$(prefix)/lib/
	ln -sf $(notdir $(CLIENT)) $(DESTDIR)$(prefix)/lib/libfcgipm.so
	install -m 644 $(addprefix include/fcgipm/,prefork.h client.h protocol.h refusal.h httpd.h) $(DESTDIR)$(prefix)/include/fcgipm/
	install -m 644 $(addprefix include/fcgipm/prefork.,rb py pm lisp) $(DESTDIR)$(prefix)/share/fcgipm/adapters/fcgipm/
	install -m 644 $(wildcard man/*.8) $(DESTDIR)$(prefix)/share/man/man8/
	install -m 644 $(wildcard man/*.5) $(DESTDIR)$(prefix)/share/man/man5/
	install -m 644 $(wildcard man/*.7) $(DESTDIR)$(prefix)/share/man/man7/
	install -m 644 packaging/pools.yaml packaging/logrotate.conf conf/pools.schema.json $(DESTDIR)$(prefix)/share/fcgipm/
	install -m 644 packaging/completion.bash $(DESTDIR)$(prefix)/share/bash-completion/completions/fcgipm
	install -m 644 packaging/sysusers.conf $(DESTDIR)$(prefix)/lib/sysusers.d/fcgipm.conf
	install -m 644 packaging/tmpfiles.conf $(DESTDIR)$(prefix)/lib/tmpfiles.d/fcgipm.conf
	sed 's|@bindir@|$(prefix)/bin|' packaging/fcgipm.service.in >$(DESTDIR)$(unitdir)/fcgipm.service
	@[ -n "$(DESTDIR)" ] || tools/accounts.sh

clean: ## Remove what was built
	rm -rf $(BUILD)
