#!/bin/sh
# Certificates for the tests of which ones are trusted, made by OpenSSL, valid for a hundred years. The keys are not kept.
set -eu
days=36500
t=$(mktemp -d)
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$t/ca.key" -out authority.pem -days $days -subj "/CN=Test authority"
for name in localhost other; do
    host=$name; [ $name = other ] && host=other.example
    openssl req -newkey rsa:2048 -nodes -keyout "$t/$name.key" -out "$t/$name.csr" -subj /CN=x
    printf 'subjectAltName=DNS:%s\n' $host > "$t/ext"
    openssl x509 -req -in "$t/$name.csr" -CA authority.pem -CAkey "$t/ca.key" -CAcreateserial -out $name.pem -days $days -extfile "$t/ext"
done
# As `openssl req -x509` makes it: it may sign others (CA:TRUE).
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$t/self.key" -out self-signed.pem -days $days -subj /CN=localhost -addext subjectAltName=DNS:localhost
rm -r "$t" authority.srl
