// node engine.mjs <jobs.json> <results.json>
// Runs jobs on the official ONNX Runtime Training engine, in its last WebAssembly build, one after another.
//   { "train": <folder of artifacts>, "steps": [<feeds>, ...] }   -> { "outputs": [<tensors of each step>], "parameters": <tensor> }
//   { "run": <model>, "feeds": <feeds> }                          -> { "outputs": [<tensors>] }
// A tensor is { "type", "dims", "data": <base64, little endian> }; a job that fails gives { "error": <text> }.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const ort = await import(pathToFileURL(path.join(here, 'node_modules/onnxruntime-web/dist/ort.training.wasm.mjs')).href);
ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'fatal';

const arrays = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array };
const read = (...parts) => new Uint8Array(fs.readFileSync(path.join(...parts)));

function decoded({ type, dims, data }) {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  return new ort.Tensor(type, new arrays[type](bytes.buffer), dims);
}

function encoded(tensor) {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return { type: tensor.type, dims: tensor.dims, data: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
}

const mapped = (entries, f) => Object.fromEntries(entries.map(([name, value]) => [name, f(value)]));

async function train({ train: folder, steps }) {
  const session = await ort.TrainingSession.create({
    checkpointState: read(folder, 'checkpoint'),
    trainModel: read(folder, 'training_model.onnx'),
    evalModel: read(folder, 'eval_model.onnx'),
    optimizerModel: read(folder, 'optimizer_model.onnx'),
  }, { executionProviders: ['wasm'] });
  const outputs = [];
  for (const feeds of steps) {
    // The engine takes values by position, whatever their names.
    const ordered = session.trainingInputNames.map(name => [name, feeds[name]]);
    outputs.push(mapped(Object.entries(await session.runTrainStep(mapped(ordered, decoded))), encoded));
    await session.runOptimizerStep();
    await session.lazyResetGrad();
  }
  const evaluation = session.evalInputNames.map(name => [name, steps.at(-1)[name]]);
  outputs.push(mapped(Object.entries(await session.runEvalStep(mapped(evaluation, decoded))), encoded));
  const parameters = encoded(await session.getContiguousParameters(true));
  await session.release();
  return { outputs, parameters };
}

async function run({ run: model, feeds }) {
  const session = await ort.InferenceSession.create(read(model), { executionProviders: ['wasm'] });
  const outputs = await session.run(mapped(Object.entries(feeds), decoded));
  await session.release();
  return { outputs: [mapped(Object.entries(outputs), encoded)] };
}

const results = [];
for (const job of JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))) {
  try {
    results.push(await (job.train ? train(job) : run(job)));
  } catch (e) {
    // The engine throws bare numbers for its own exceptions.
    results.push({ error: e?.message ?? `the engine gave ${e}` });
  }
}
fs.writeFileSync(process.argv[3], JSON.stringify(results));
