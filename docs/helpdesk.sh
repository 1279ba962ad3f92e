#!/bin/sh
# manage.py with the account, the settings and the data of the units beside this file:
#   install -m 755 docs/helpdesk.sh /usr/local/sbin/helpdesk
#   helpdesk doctor
set -eu
if [ "$(id -u)" != 0 ]; then
    echo "helpdesk: the settings are for root alone to read: call it by sudo." >&2
    exit 1
fi

# As systemd reads it: nothing in a value means anything, quotes around a whole one are left out.
while IFS= read -r line || [ -n "$line" ]; do
    case $line in
        [A-Za-z_]*=*) ;;
        *) continue ;;
    esac
    value=${line#*=}
    case $value in
        \"*\") value=${value#\"} value=${value%\"} ;;
        \'*\') value=${value#\'} value=${value%\'} ;;
    esac
    export "${line%%=*}=$value"
done </etc/helpdesk.env
export VAR_DIR=/var/lib/helpdesk

umask 027
cd /opt/helpdesk
exec runuser -u helpdesk -- .venv/bin/python manage.py "$@"
