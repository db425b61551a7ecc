"""The music API in Django. To run it: python manage.py migrate, then load_songs, then runserver"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "service.settings")
    execute_from_command_line(sys.argv)
