# SPDX-License-Identifier: GPL-3.0-or-later
# Thin on purpose: every target is a script in tools/, which can be called by itself as well.

PYTHON ?= $(shell for p in python3.11 python3 python3.13 python3.12 python3.14; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUN = $(if $(PYTHON),$(PYTHON),$(error No Python 3.11 or newer with venv found: set PYTHON)) -B

.PHONY: demo test check format package release manual bench mutants soak fuzz nightly screenshots texts schema compare-nets compare-subject clean
demo:     ; @$(RUN) tools/demo.py $(if $(IMAGE),"$(IMAGE)")
test:     ; @$(RUN) tools/tests.py $(ONLY)
check:    ; @$(RUN) tools/check.py
format:   ; @$(RUN) tools/check.py --format
package:  ; @$(RUN) tools/package.py
release:  ; @$(RUN) tools/release.py $(VERSION)
manual:   ; @$(RUN) tools/manual.py
bench:    ; @$(RUN) tools/bench.py $(ONLY)
mutants:  ; @$(RUN) tools/mutants.py $(ONLY)
soak:     ; @$(RUN) tools/soak.py $(ONLY)
fuzz:     ; @$(RUN) tools/fuzz.py $(ONLY)
nightly:  ; @$(RUN) tools/nightly.py $(ONLY)
texts:    ; @$(RUN) tools/texts.py
schema:   ; @$(RUN) tools/job_schema.py
screenshots: ; @$(RUN) tools/screenshots.py
compare-nets: ; @$(RUN) tools/compare_nets.py
compare-subject: ; @$(RUN) tools/compare_u2netp.py
clean:    ; rm -rf build

.PHONY: check-weights
check-weights: ; @$(RUN) tools/check_weights.py $(if $(FILE),"$(FILE)")
