set -eu
umask 077
mkdir -p "$TIDEMARK_SECRETS_IN"
for name in $TIDEMARK_SECRETS_NAMED; do
  variable=TIDEMARK_SECRET_$(printf %s "$name" | tr a-z- A-Z_)
  value=$(printenv "$variable")
  printf %s "$value" > "$TIDEMARK_SECRETS_IN/$name"
  unset "$variable" value
done
umask 022
exec entrypoint.sh "$@"
