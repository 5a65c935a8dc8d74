# shellcheck shell=sh
# Read by login shells; what ssh was told to pass on goes first.

: "${LANG:=C.UTF-8}"
export LANG
