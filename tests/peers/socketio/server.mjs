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
  flood: async ({ count, window, seconds }) => {
    const begun = performance.now();
    const { reached: isAnswered } = await reached(chat.flood(count, window), seconds);
    return { reached: isAnswered, milliseconds: performance.now() - begun };
  },
  // Wait until this many answers have come, ever; until this very answer has come; until this many sockets are in
  // the room. What is reached is then answered, and what is not, after `seconds`.
  answered: ({ count, seconds }) => reached(() => chat.answers.length >= count, seconds),
  answer: ({ text, seconds }) => reached(() => chat.answers.includes(text), seconds),
  joined: ({ count, seconds }) => reached(() => chat.socketsInRoom() === count, seconds),
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

async function reached(isReached, seconds) {
  let clock;
  const tooLate = new Promise((resolve) => {
    clock = setTimeout(resolve, seconds * 1000);
  });
  await Promise.race([chat.until(isReached), tooLate]);
  clearTimeout(clock);
  return { reached: isReached() };
}

function write(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

write({ port: await chat.listen() });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  write(await requests[request.do](request));
}
process.exit(0);
