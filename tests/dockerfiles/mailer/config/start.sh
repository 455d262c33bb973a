#!/bin/sh
set -e
rsyslogd
opendkim
exec postfix start-fg
