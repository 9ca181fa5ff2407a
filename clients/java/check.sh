#!/usr/bin/env bash
# Everything that has to hold of this client save what takes a running Tandem: builds it, checks
# its format, tests it, and leaves the driver, the benchmark and the example ready to be started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
./gen.sh
mvn -q -B -Pstrict verify spotless:check
# The driver and the benchmark run from a copy, which a build that comes meanwhile leaves alone.
rm -rf target/programs
mvn -q -B dependency:copy-dependencies -DoutputDirectory=target/programs
cp target/tandem-client-0.1.0.jar target/programs
cp -r target/test-classes target/programs/classes
javac -Xlint:all -Werror -d target/example -cp 'target/programs/*' Example.java
