#!/bin/sh
# Stands in for the AppImage runtime in tests: it unpacks where that one mounts.
APPIMAGE=$(readlink -f "$0")
APPDIR=$(mktemp -d)
export APPIMAGE APPDIR
unsquashfs -quiet -no-progress -force -dest "$APPDIR" -offset 00000 "$APPIMAGE" >/dev/null || exit 1
[ "$1" = --appimage-extract-and-run ] && shift
"$APPDIR/AppRun" "$@" &
trap 'kill $!' TERM
while kill -0 $! 2>/dev/null; do wait $!; code=$?; done
rm -rf "$APPDIR"
exit "$code"
