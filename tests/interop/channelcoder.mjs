// Does with a sessions folder what ChannelCoder's users do. The answer goes to stdout as JSON; what ChannelCoder
// prints goes to stderr.
import { FileSessionStorage, session } from 'channelcoder';

console.log = console.error;

const shown = (s) => ({ id: s.id() ?? null, messages: s.messages() });

const commands = {
  async list(storage) {
    return session.list(storage);
  },
  async load(storage, name) {
    return shown(await session.load(name, storage));
  },
  async start(storage, name, ...questions) {
    const s = session({ name, storage });
    for (const question of questions) await s.claude(question, { outputFormat: 'json' });
    return shown(s);
  },
  async resume(storage, name, ...questions) {
    const s = await session.load(name, storage);
    for (const question of questions) await s.claude(question, { outputFormat: 'json' });
    return shown(s);
  },
  // Loads, and goes on when it is told to, with what it had loaded.
  async resumeLate(storage, name, question) {
    const s = await session.load(name, storage);
    process.stdout.write('loaded\n');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.unref();
    await s.claude(question, { outputFormat: 'json' });
    return shown(s);
  },
  async save(storage, name, newName) {
    return (await session.load(name, storage)).save(newName);
  },
  async clear(storage, name) {
    const s = await session.load(name, storage);
    s.clear();
    await s.save(name);
    return shown(s);
  },
};

const [command, folder, ...rest] = process.argv.slice(2);
const answer = await commands[command](new FileSessionStorage(folder), ...rest);
process.stdout.write(`${JSON.stringify(answer)}\n`);
