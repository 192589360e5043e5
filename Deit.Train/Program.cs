Console.WriteLine("deit");
