// What @jupyter/builder is told besides package.json: ids that don't depend on where the folder lies, so that a build can
// be compared with the one that is committed.
module.exports = { optimization: { moduleIds: "natural", chunkIds: "natural" } };
