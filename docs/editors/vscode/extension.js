// The whole of a VS Code client for cytisus: it starts `cytisus serve` for Go files.
const { workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

exports.activate = async () => {
	const command = workspace.getConfiguration('cytisus').get('command');
	client = new LanguageClient(
		'cytisus',
		'Cytisus',
		{ command, args: ['serve'] },
		{ documentSelector: [{ scheme: 'file', language: 'go' }] },
	);
	await client.start();
};

exports.deactivate = () => client && client.stop();
