// SPDX-License-Identifier: Apache-2.0
// What a Node.js program may do in a container: prints "done" when all of it has worked.
'use strict';
const assert = require('assert');
const { execFileSync } = require('child_process');
const fs = require('fs');
const http = require('http');
const zlib = require('zlib');
const crypto = require('crypto');
const { Worker, isMainThread, parentPort } = require('worker_threads');

function spin() {
  // Often enough for the compiler to take it.
  let sum = 0;
  for (let i = 0; i < 3e6; i++) sum = (sum + i * 7) % 1000003;
  return sum;
}

if (!isMainThread) {
  parentPort.postMessage(spin());
} else {
  main();
}

function inWorker() {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename);
    worker.on('message', resolve);
    worker.on('error', reject);
  });
}

function fetchPage() {
  return new Promise((resolve, reject) => {
    const server = http.createServer((request, response) => response.end('page ' + request.url));
    server.listen(0, '127.0.0.1', () => {
      http.get({ host: '127.0.0.1', port: server.address().port, path: '/x', agent: false }, (response) => {
        let text = '';
        response.on('data', (data) => { text += data; });
        response.on('end', () => server.close(() => resolve(text)));
      }).on('error', reject);
    });
  });
}

async function main() {
  const expected = spin();
  assert.deepStrictEqual(await Promise.all([inWorker(), inWorker()]), [expected, expected]);
  assert.strictEqual(await fetchPage(), 'page /x');
  fs.writeFileSync('/tmp/file', zlib.gzipSync('x'.repeat(100000)));
  assert.strictEqual(zlib.gunzipSync(fs.readFileSync('/tmp/file')).length, 100000);
  assert.strictEqual(crypto.randomBytes(16).length, 16);
  assert.strictEqual(execFileSync('busybox', ['echo', 'hi']).toString(), 'hi\n');
  console.log('done');
}
