// A retake.tv stand-in on the real Socket.IO server, told what to do by its parent.
//
//   node server.mjs v1|v2
//
// It reads one JSON request a line and writes one JSON answer a line, in the same order. The first line that it
// writes, unasked, is {"port": …}. It ends when its standard input does, so it never outlives the test.

import { createInterface } from 'node:readline';
import { RetakeChat } from './chat.mjs';

const generation = process.argv[2];
if (generation !== 'v1' && generation !== 'v2') {
  process.stderr.write('usage: node server.mjs v1|v2\n');
  process.exit(2);
}

const chat = new RetakeChat(generation);

const requests = {
  // Says `count` lines, the next numbers; `id` is whether they have one when they are heard live.
  say: ({ count, id }) => ({ said: chat.say(count, id) }),
  // Says `count` lines, but never more than `window` that are not answered yet.
  flood: async ({ count, window }) => ({ milliseconds: await chat.flood(count, window) }),
  // Resolves when this many answers have come, ever.
  answered: async ({ count }) => {
    await chat.until(() => chat.answers.length >= count);
    return { answered: chat.answers.length };
  },
  // Resolves when this very answer has come.
  answer: async ({ text }) => {
    await chat.until(() => chat.answers.includes(text));
    return {};
  },
  // Resolves when this many sockets are in the room.
  joined: async ({ count }) => {
    await chat.until(() => chat.socketsInRoom() === count);
    return {};
  },
  answers: () => ({ answers: chat.answers }),
  sockets: () => ({ room: chat.socketsInRoom(), open: chat.openSockets(), most: chat.mostSockets }),
  leave: async ({ abruptly }) => {
    await chat.leave(abruptly);
    return {};
  },
  return: async () => {
    await chat.listen();
    return {};
  },
};

function write(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

write({ port: await chat.listen() });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  write(await requests[request.do](request));
}
process.exit(0);
