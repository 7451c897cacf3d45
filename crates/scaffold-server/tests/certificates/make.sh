#!/bin/sh
# Makes the certificates of the tests: two of one authority that nobody trusts, for names of this machine, until 2125.
set -eu
cd "$(dirname "$0")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj "/CN=tests of scaffold" \
    -addext "basicConstraints=critical,CA:TRUE" -keyout authority.key -out authority.pem
for name in one other; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > extensions
    openssl x509 -req -in "$name.csr" -CA authority.pem -CAkey authority.key -days 36500 -extfile extensions -out "$name.pem"
done
rm -f extensions authority.key authority.srl one.csr other.csr
