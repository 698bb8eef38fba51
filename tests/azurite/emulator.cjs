// The blob service of Azurite, which ends when whoever started it closes its input or dies. Arguments are those of azurite-blob.
'use strict';

process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
require('azurite/dist/src/blob/main.js');
