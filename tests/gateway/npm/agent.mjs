// An agent of the published TypeScript client, before whatever it is given: an address, or a command. Says what it saw.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  ElicitRequestSchema,
  ResourceListChangedNotificationSchema,
  LoggingMessageNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

const [target, ...rest] = process.argv.slice(2);
const agent = new Client({ name: "agent", version: "1" }, { capabilities: { elicitation: {}, sampling: {}, roots: {} } });
const seen = { progress: 0, asked: 0, notices: [] };

agent.setRequestHandler(ElicitRequestSchema, async () => {
  seen.asked += 1;
  return { action: "decline" };
});
agent.setNotificationHandler(LoggingMessageNotificationSchema, (notice) => {
  seen.notices.push(notice.params.level);
});
agent.setNotificationHandler(ResourceListChangedNotificationSchema, () => {
  seen.notices.push("resources");
});

const refused = async (asked) => {
  try {
    return await asked;
  } catch (error) {
    return { code: error.code ?? error.name, answer: error.data?.["trueup/answer"] };
  }
};

await agent.connect(
  target.startsWith("http")
    ? new StreamableHTTPClientTransport(new URL(target))
    : new StdioClientTransport({ command: target, args: rest, env: process.env, stderr: "ignore" }),
);
seen.capabilities = Object.keys(agent.getServerCapabilities()).sort();
seen.tools = (await agent.listTools()).tools.map((tool) => tool.name).sort();
seen.resources = (await agent.listResources()).resources.map((one) => one.uri);
seen.templates = (await agent.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate);
seen.prompts = (await agent.listPrompts()).prompts.map((one) => one.name);
const call = (name, args, options) => agent.callTool({ name, arguments: args }, undefined, options);
seen.sum = await call("get-sum", { a: 20, b: 1 });
seen.tooMuch = await call("get-sum", { a: 900, b: 1 });
seen.look_alike = await call("get\u2010sum", { a: 1, b: 1 });
seen.hidden = await call("get-tiny-image", {});
seen.held = await call("echo", { message: "hello" });
seen.structured = await call("get-structured-content", { location: "Chicago" });
seen.env = await call("get-env", {});
seen.elicited = await call("trigger-elicitation-request", {});
seen.slow = await call("trigger-long-running-operation", { duration: 0.2, steps: 2 }, { onprogress: () => (seen.progress += 1) });
seen.read = await agent.readResource({ uri: "demo://resource/static/document/features.md" });
seen.blob = await refused(agent.readResource({ uri: "demo://resource/dynamic/blob/1" }));
seen.prompt = await agent.getPrompt({ name: "args-prompt", arguments: { city: "Leeds" } });
seen.other = await refused(agent.getPrompt({ name: "simple-prompt" }));
seen.completed = await agent.complete({
  ref: { type: "ref/prompt", name: "completable-prompt" },
  argument: { name: "department", value: "Eng" },
});
const stop = new AbortController();
const cancelled = refused(call("trigger-long-running-operation", { duration: 30, steps: 3 }, { signal: stop.signal }));
setTimeout(() => stop.abort(), 150);
seen.cancelled = await cancelled;
seen.after = await call("get-sum", { a: 1, b: 2 });
await agent.close();
console.log(JSON.stringify(seen));
