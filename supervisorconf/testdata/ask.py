"""Asks the installed Supervisor what it makes of configurations.

Reads JSON lines and writes an answer for each:

{"files": {name: text}, "env": {…}}: what supervisord would print before it gave
up, or the processes that it would run. The main file is s.conf; the files stand
in the directory given as argument.
{"before": text, "after": text}: the groups that an update of a running
supervisord would add, restart and remove.
{"text": base64}: the sections of one file.
{"expand": text, "number": n}, {"pairs": text}, {"size": text}, {"split": text}:
what that function gives.
"""
import base64
import json
import os
import shlex
import sys

from supervisor import datatypes, events, options, supervisord

NAMES = options.ProcessConfig.req_param_names + options.ProcessConfig.optional_param_names
WORDS = {datatypes.Automatic: 'AUTO', datatypes.RestartUnconditionally: 'true',
         datatypes.RestartWhenExitUnexpected: 'unexpected'}


class Refused(Exception):
    pass


class Options(options.ServerOptions):
    def usage(self, msg):
        raise Refused(str(msg))


def word(v):
    if isinstance(v, type):
        return WORDS[v]
    return int(v) if type(v) is not bool and isinstance(v, int) else v


def ask(case, root):
    for name, text in case['files'].items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', newline='', encoding='utf-8') as f:
            f.write(text)
    os.environ.clear()
    os.environ.update(case['env'])
    o = Options()
    try:
        o.realize(['-c', os.path.join(root, 's.conf')], doc='')
    except Refused as e:
        return {'error': str(e)}
    return {'groups': [{'name': g.name, 'priority': g.priority,
                        'processes': [{n: word(getattr(p, n)) for n in NAMES}
                                      for p in g.process_configs]}
                       for g in o.process_group_configs],
            'servers': [{k: word(v) for k, v in s.items() if k != 'family'}
                        for s in o.server_configs],
            'plugins': [[n, e] for n, f, e in o.rpcinterface_factories],
            'identifier': o.identifier, 'logfile': o.logfile,
            'warnings': o.parse_warnings, 'infos': o.parse_infos}


def update(case, root):
    path = os.path.join(root, 's.conf')

    def write(text):
        with open(path, 'w', newline='', encoding='utf-8') as f:
            f.write(text)

    write(case['before'])
    os.environ.clear()
    o = Options()
    o.realize(['-c', path], doc='')
    o.logger = None
    o.get_autochildlog_name = lambda *names: '/auto/' + '-'.join(names)
    events.clear()
    running = supervisord.Supervisor(o)
    for group in o.process_group_configs:
        running.add_process_group(group)
    write(case['after'])
    try:
        o.process_config(do_usage=False)
    except ValueError as e:
        return {'error': str(e)}
    return [[g.name for g in list] for list in running.diff_to_active()]


def parse(text, root):
    path = os.path.join(root, 'text.conf')
    with open(path, 'wb') as f:
        f.write(base64.b64decode(text))
    p = options.UnhosedConfigParser()
    with open(path, encoding='utf-8') as f:
        p.read_file(f, 's.conf')
    return dict(p._sections, DEFAULT=p.defaults())


def one(case, root):
    if 'files' in case:
        return ask(case, root)
    if 'before' in case:
        return update(case, root)
    try:
        if 'text' in case:
            return parse(case['text'], root)
        if 'expand' in case:
            names = {'ENV_A': 'a\u00e9', 'here': '/x', 'process_num': case['number']}
            return options.expand(case['expand'], names, 'o')
        if 'pairs' in case:
            return datatypes.dict_of_key_value_pairs(case['pairs'])
        if 'size' in case:
            return str(datatypes.byte_size(case['size']))
        return shlex.split(case['split'])
    except Exception as e:
        return {'error': str(e)}


root = sys.argv[1]
os.chdir(root)
print(json.dumps({'version': options.VERSION, 'node': options.platform.node()}))
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps(one(case, root)))
    for name in case.get('files', ()):
        os.unlink(os.path.join(root, name))
