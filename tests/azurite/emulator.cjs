// One service of Azurite, the first argument ('blob' or 'queue'), which ends when whoever started it closes its input or dies. The other
// arguments are those of azurite-blob or azurite-queue.
'use strict';

const [service] = process.argv.splice(2, 1);
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
require(`azurite/dist/src/${service}/main.js`);
