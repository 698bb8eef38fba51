// One service of Azurite, the first argument ('blob' or 'queue'), which ends when whoever started it closes its input or dies. The other
// arguments are those of azurite-blob or azurite-queue.
'use strict';

const [service] = process.argv.splice(2, 1);
const argument = name => process.argv[process.argv.indexOf(name) + 1];

// Azurite looks at the source of a copy by its address, with nothing but the signature in it. Where it stands for an account of the cloud,
// with a certificate, that request has to come back to itself, whatever host the address names.
if (process.argv.includes('--cert')) {
    const ca = require('fs').readFileSync(argument('--cert'));
    const here = { host: '127.0.0.1', port: argument(`--${service}Port`), ca };
    require('https').globalAgent.createConnection = options => require('tls').connect({ ...options, ...here });
    for (const name of Object.keys(process.env).filter(n => /^https?_proxy$/i.test(n)))
        delete process.env[name];
}
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
require(`azurite/dist/src/${service}/main.js`);
