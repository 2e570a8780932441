# SPDX-License-Identifier: GPL-3.0-or-later
# Converts the photo $args[0] to the PNG $args[1] with the codecs of Windows.
$ErrorActionPreference = 'Stop'
Add-Type -AssemblyName PresentationCore
$source = [IO.File]::OpenRead($args[0])
$decoder = [Windows.Media.Imaging.BitmapDecoder]::Create($source, 'None', 'OnLoad')
$encoder = New-Object Windows.Media.Imaging.PngBitmapEncoder
$encoder.Frames.Add($decoder.Frames[0])
$target = [IO.File]::Create($args[1])
$encoder.Save($target)
$target.Close()
