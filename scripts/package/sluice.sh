#!/bin/sh
# Sluice's window, or with arguments its command line. Models alone are opened in the window.
home=/usr/lib/sluice
cli=$home/resources/app.asar.unpacked/out/main/cli.js

case ${1-} in
'' | *.[oO][nN][nN][xX] | *.[gG][gG][uU][fF]) exec "$home/sluice" "$@" ;;
esac
if [ -n "${SLUICE_NODE-}" ]; then
  exec "$SLUICE_NODE" "$cli" "$@"
fi
ELECTRON_RUN_AS_NODE=1
export ELECTRON_RUN_AS_NODE
exec "$home/sluice" "$cli" "$@"
