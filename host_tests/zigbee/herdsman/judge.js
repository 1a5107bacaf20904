"use strict";
// zigbee-herdsman as a judge: starts on the pty it is given, opens the network, interviews and sets up whatever joins,
// and says what it saw, a JSON object a line. Owns no verdict: the test that runs it has that.
// usage: node judge.js CONFIG; CONFIG is JSON: path, folder, network {panID, extendedPanID, channelList, networkKey}.
// Ends when its standard input does, after an orderly stop. NODE_PATH names where zigbee-herdsman is installed.

const fs = require("node:fs");
const path = require("node:path");
const { Controller, setLogger, Zcl } = require("zigbee-herdsman");

const config = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const PERMIT_S = 250;
const STATUS_S = 3600;
const MASK = {
  name: "homeActivity",
  ID: 0xfc30,
  attributes: {
    minute: { name: "minute", ID: 0, type: Zcl.DataType.UINT32 },
    mask: { name: "mask", ID: 1, type: Zcl.DataType.BITMAP32 },
    before: { name: "before", ID: 2, type: Zcl.DataType.BITMAP32 },
    state: { name: "state", ID: 3, type: Zcl.DataType.BITMAP8 },
  },
  commands: {},
  commandsResponse: {},
};

function say(what, fields) {
  process.stdout.write(JSON.stringify({ what, ...fields }) + "\n");
}

const quiet = () => undefined;
setLogger({ debug: process.env.HERDSMAN_DEBUG ? console.error : quiet, info: quiet, warning: (text) => say("warning", { text }), error: (text) => say("error", { text }) });

const controller = new Controller({
  network: config.network,
  transport: { path: config.path, baudRate: 115200, rtscts: false, adapter: "zstack" },
  databasePath: path.join(config.folder, "database.db"),
  databaseBackupPath: path.join(config.folder, "database.db.backup"),
  backupPath: path.join(config.folder, "backup.json"),
  adapter: { disableLED: true },
  acceptJoiningDeviceHandler: async () => true,
});

/** What a host does with a sensor it knows: bind, configure reporting and read it back, read what it needs. */
async function setUp(device) {
  const endpoint = device.getEndpoint(1);
  const home = controller.getDevicesByType("Coordinator")[0].getEndpoint(1);
  const reports = [["genPowerCfg", "batteryPercentageRemaining", 2]];
  if (endpoint.supportsInputCluster("msTemperatureMeasurement")) {
    reports.push(["msTemperatureMeasurement", "measuredValue", 100]);
  }
  const read = {};
  for (const [cluster, attribute, change] of reports) {
    await endpoint.bind(cluster, home);
    await endpoint.configureReporting(cluster, [
      { attribute, minimumReportInterval: 0, maximumReportInterval: STATUS_S, reportableChange: change },
    ]);
    const back = await endpoint.readReportingConfig(cluster, [{ attribute }]);
    read[attribute] = { ...(await endpoint.read(cluster, [attribute])), configured: back ?? null };
  }
  if (endpoint.supportsInputCluster("ssIasZone")) {
    Object.assign(read, await endpoint.read("ssIasZone", ["zoneState", "zoneType", "zoneStatus", "zoneId"]));
  }
  if (endpoint.supportsInputCluster(MASK.ID)) {
    await endpoint.bind(MASK.ID, home);
    read.mask = await endpoint.read("homeActivity", ["minute", "mask", "before", "state"]);
  }
  let refused = "";
  try {
    await endpoint.configureReporting("genPowerCfg", [
      { attribute: "batteryPercentageRemaining", minimumReportInterval: 0, maximumReportInterval: 65000, reportableChange: 2 },
    ]);
  } catch (error) {
    refused = error.message;
  }
  await endpoint.command("genIdentify", "triggerEffect", { effectid: 2, effectvariant: 0 }, { disableDefaultResponse: false });
  return { read, refused, bound: endpoint.binds.map((bind) => bind.cluster.name) };
}

controller.on("deviceJoined", ({ device }) => {
  device.addCustomCluster(MASK.name, MASK);
  say("joined", { ieee: device.ieeeAddr });
});
controller.on("deviceLeave", ({ ieeeAddr }) => say("left", { ieee: ieeeAddr }));
controller.on("adapterDisconnected", () => say("disconnected", {}));
controller.on("deviceInterview", async ({ status, device }) => {
  if (status !== "successful") {
    say("interview", { status, ieee: device.ieeeAddr });
    return;
  }
  say("interview", {
    status, ieee: device.ieeeAddr, model: device.modelID, maker: device.manufacturerName, power: device.powerSource,
    type: device.type, checkin: device.checkinInterval,
    endpoints: device.endpoints.map((one) => [one.ID, one.deviceID, one.inputClusters, one.outputClusters]),
  });
  try {
    say("set_up", { ieee: device.ieeeAddr, ...(await setUp(device)) });
  } catch (error) {
    say("set_up_failed", { ieee: device.ieeeAddr, text: error.stack });
  }
});
controller.on("message", ({ type, device, cluster, data }) => say("message", { ieee: device.ieeeAddr, type, cluster, data }));

async function main() {
  say("started", { result: await controller.start(), node: process.version });
  const about = await controller.getCoordinatorVersion();
  say("coordinator", { type: about.type, parameters: await controller.getNetworkParameters() });
  await controller.permitJoin(PERMIT_S);
  say("open", {});
}

process.stdin.on("end", async () => {
  try {
    await controller.permitJoin(0);
    await controller.stop();
    say("stopped", {});
  } catch (error) {
    say("stop_failed", { text: error.stack });
  }
  process.exit(0);
});
process.stdin.resume();
main().catch((error) => {
  say("failed", { text: error.stack });
  process.exit(1);
});
