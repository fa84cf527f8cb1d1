// An object against the schema that Kubernetes publishes for its kind (npm: kubernetes-models). The generated validators
// check types, formats and required fields and pass over fields that they do not know; but they look at every field that
// they do know. So the object is shown to them through a proxy, and what nobody has looked at is unknown.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

function watch(value, path, unseen) {
  if (value === null || typeof value !== "object") return value;
  if (!Array.isArray(value)) for (const key of Object.keys(value)) unseen.add(`${path}.${key}`);
  return new Proxy(value, {
    get(target, key) {
      const inside = Array.isArray(target) ? `${path}[${String(key)}]` : `${path}.${String(key)}`;
      unseen.delete(inside);
      return Object.hasOwn(target, key) ? watch(target[key], inside, unseen) : target[key];
    },
  });
}

export function schema(object) {
  let model;
  try {
    model = require(`kubernetes-models/${object.apiVersion}/${object.kind}`)[object.kind];
  } catch {
    return [`${object.apiVersion} ${object.kind}: no such kind`];
  }
  const unseen = new Set();
  try {
    model.prototype.validate.call(watch(object, "", unseen));
  } catch (failure) {
    return failure.message.split("\n");
  }
  return [...unseen].map(path => `${path}: unknown field`);
}
