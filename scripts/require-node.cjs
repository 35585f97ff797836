// Refuses a Node that is too old, before anything else is parsed or installed. Preloaded with `node -r`, and written in
// the JavaScript of 2011, so that any Node can read it.
'use strict';
var engines = require('../package.json').engines;
var wanted = engines.node.replace('>=', '').split('.').map(Number);
var found = process.versions.node.split('.').map(Number);

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    'introspectd needs Node.js',
    wanted.join('.'),
    'or newer; this is',
    found.join('.'),
    'at',
    process.execPath,
  );
  console.error(
    'Nothing was installed or changed. Put a newer Node.js (https://nodejs.org) first on the PATH and run it again.',
  );
  process.exit(1);
}
