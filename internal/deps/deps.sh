#!/usr/bin/env bash
# Installs what the project uses and says what stays off. Nothing here fails for want of an optional program.
set -u
cd "$(dirname "$0")/../.."
say() { printf 'deps: %s\n' "$*" >&2; }

if ! command -v go >/dev/null; then
  say "Go 1.26 or newer is needed: install it and run this again"
  exit 1
fi
go mod download || { say "the Go modules could not be fetched"; exit 1; }

# program, Debian packages, what is off without it
wanted=(
  "ffmpeg|ffmpeg|pixels of videos are not decoded"
  "apertium|apertium apertium-eng-spa|reports get no draft translation"
  "chromium|chromium|browser tests are skipped"
  "exiftool|libimage-exiftool-perl|no independent reader checks the metadata that tests write"
  "egm96_15.gtx|proj-data|heights above the sea are not turned into heights above the ellipsoid in tests"
)
have() {
  case $1 in
    chromium) [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ;;
    apertium) command -v apertium >/dev/null && apertium -l 2>/dev/null | grep -q 'spa-eng' ;;
    egm96_15.gtx) [ -n "${ATALAYA_EGM96:-}" ] || [ -f /usr/share/proj/egm96_15.gtx ] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}
missing=()
for row in "${wanted[@]}"; do
  IFS='|' read -r program packages _ <<<"$row"
  have "$program" || missing+=($packages)
done
if [ ${#missing[@]} -gt 0 ] && [ -z "${ATALAYA_NO_INSTALL:-}" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing ${missing[*]}"
    log=$(mktemp)
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
      say "the package manager could not install all of: ${missing[*]} (last line: $(tail -n 1 "$log"))"
    fi
    rm -f "$log"
  else
    say "not permitted to install ${missing[*]}: needs root and apt-get"
  fi
fi
for row in "${wanted[@]}"; do
  IFS='|' read -r program _ off <<<"$row"
  have "$program" || say "$program is missing: $off"
done
exit 0
