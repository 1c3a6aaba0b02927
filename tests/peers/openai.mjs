// The official OpenAI client against `kait serve`: only the base URL and the key are set, both by the environment
// variables that the client reads by itself. Prints what it heard as one JSON object.
import OpenAI from "openai";

const client = new OpenAI();
const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
];
const heard = {};

const models = (await client.models.list()).data.map((model) => model.id);
heard.models = ["tests.echo", "tests.chat"].map((name) => models.includes(name));

const whole = await client.chat.completions.create({ model: "tests.chat", messages });
heard.whole = whole.choices[0].message.content;

const stream = await client.chat.completions.create({
  model: "tests.echo",
  messages: [{ role: "user", content: "one two three four five" }],
  stream: true,
  stream_options: { include_usage: true },
});
heard.pieces = 0;
heard.streamed = "";
for await (const chunk of stream) {
  const text = chunk.choices[0]?.delta?.content;
  if (text) {
    heard.pieces += 1;
    heard.streamed += text;
  }
  if (chunk.usage) heard.usage = chunk.usage.total_tokens;
}

const refused = async (ask) => {
  try {
    await ask();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was refused");
};

const missing = await refused(() => client.chat.completions.create({ model: "nobody", messages }));
heard.missing = { status: missing.status, code: missing.code };

const failed = await refused(() => client.chat.completions.create({ model: "tests.fails", messages }));
heard.failed = { status: failed.status, code: failed.code };

const broken = await refused(async () => {
  const stream = await client.chat.completions.create({ model: "tests.fails", messages, stream: true });
  for await (const _ of stream);
});
heard.failed_stream = broken.code;

const stranger = new OpenAI({ apiKey: "kait_0" });
heard.denied = (await refused(() => stranger.models.list())).status;

console.log(JSON.stringify(heard));
